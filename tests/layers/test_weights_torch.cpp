#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <maskgrad/core/io/safetensors.hpp>
#include <maskgrad/maskgrad.hpp>

#include "io/files.hpp"
#include "throws.hpp"

// data/torch_*.safetensors: what PyTorch wrote; see make_torch_fixtures.py.

namespace maskgrad::tests::test_weights_torch {
namespace {

std::filesystem::path written_by_torch(std::string_view name) {
  return files::beside("../layers/data") / name;
}

/// The modules of the fixtures; all but two have PyTorch's name for their path.
struct Net {
  Embedding embed{{.input_dim = 7, .output_dim = 3}};
  GRU gru{{.units = 4, .return_sequences = true}};
  GRU plain{{.units = 2, .use_bias = false, .return_sequences = true}};
  LSTM lstm{{.units = 4, .return_sequences = true}};
  SimpleRNN rnn{{.units = 4, .return_sequences = true}};
  Bidirectional both{GRU{{.units = 2, .return_sequences = true}}};
  Dense head{{.units = 2}};
  MultiHeadAttention attention{{.num_heads = 2, .key_dim = 2}};
  MultiHeadAttention cross{{.num_heads = 2, .key_dim = 2}};
  MultiHeadAttention bare{
      {.num_heads = 1, .key_dim = 4, .use_bias = false, .use_causal_mask = true}};

  Tensors operator()(const Tensor& ids) {
    const Tensor x = embed(ids), y = gru(x);
    const Mask steps = Mask::from_lengths({5, 3});
    const bool data = !y.is_meta();
    const Tensor own = attention(data ? y.with_mask(steps) : y);
    return {x,       y,      plain(x),
            lstm(x), rnn(x), both(x),
            head(y), own,    cross(y, data ? x.with_mask(steps) : x),
            bare(y)};
  }
  static void each_layer(auto& self, auto&& f) {
    f("embed", self.embed);
    f("gru", self.gru);
    f("inner/plain", self.plain);
    f("lstm", self.lstm);
    f("rnn", self.rnn);
    f("both", self.both);
    f("out", self.head);
    f("attention", self.attention);
    f("cross", self.cross);
    f("bare", self.bare);
  }
};

const TorchNames names = {{"inner/plain", "gru_plain"}, {"out", "head"}};

Net built(DType dtype = DType::f64) {
  Net net;
  build(net, Spec::ids({any, any}));
  return clone(net, dtype);
}

/// The greatest difference from what PyTorch's modules gave.
double apart(Net& net, double scale) {
  const auto results = read_safetensors(written_by_torch("torch_results.safetensors")).arrays;
  const auto ids = results[0].array.values<std::int64_t>();
  const Tensors outputs = net(tensor(ids, {2, 5}));
  double greatest = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto want = results[i + 1].array.values<double>();
    const auto got = cast(outputs[i], DType::f64).to_vector<double>();
    REQUIRE(got.size() == want.size());
    for (std::size_t k = 0; k < got.size(); ++k) {
      greatest = std::max(greatest, std::abs(got[k] - want[k]) / scale);
    }
  }
  return greatest;
}

TEST_CASE("layers with PyTorch's weights give what PyTorch gives") {
  Net net = built();
  CHECK(apart(net, 1) > 0.1);
  CHECK(load_torch_weights(net, written_by_torch("torch_weights.safetensors"), names).loaded == 40);
  CHECK(apart(net, 1) < 1e-12);
  Net narrow = built(DType::f32);
  load_torch_weights(narrow, written_by_torch("torch_weights_f32.safetensors"), names);
  CHECK(apart(narrow, 1) < 1e-5);
}

TEST_CASE("what does not fit is listed with both names, and nothing is changed") {
  const files::TemporaryFolder folder;
  auto arrays = read_safetensors(written_by_torch("torch_weights.safetensors")).arrays;
  for (auto& a : arrays) {
    if (a.name == "gru.weight_hh_l0") a.name = "gru.weight_hh_l1";
    if (a.name == "head.weight") a.array = files::array_of<double>({1, 2}, {1, 2});
    if (a.name == "lstm.bias_ih_l0") a.array = files::array_of<double>({3}, {1, 2, 3});
  }
  write_safetensors(folder / "w.safetensors", arrays);
  Net net = built();
  const auto before = parameters(net)[0].value().to_vector<double>();
  CHECK(throws<FileError>(
      [&] { load_torch_weights(net, folder / "w.safetensors", names); }, "nothing was changed",
      "missing: gru/recurrent_kernel from gru.weight_hh_l0\n", "unexpected: gru.weight_hh_l1\n",
      "out/kernel from head.weight (the file has f64[2, 1], the model f64[4, 2])",
      "lstm/bias from lstm.bias_ih_l0 and lstm.bias_hh_l0 (the file has f64[1, 19]"));
  CHECK(parameters(net)[0].value().to_vector<double>() == before);
}

TEST_CASE("attention of other sizes or without its arrays is listed") {
  const files::TemporaryFolder folder;
  const auto half = [](std::int64_t heads, std::int64_t dim) {
    Sequential model{MultiHeadAttention{{.num_heads = heads, .key_dim = dim, .name = "attention"}}};
    model.build(Spec::f64({any, any, 4}));
    return model;
  };
  NamedArrays arrays;
  for (auto& a : read_safetensors(written_by_torch("torch_weights.safetensors")).arrays) {
    if (a.name.starts_with("attention.")) arrays.push_back(a);
  }
  write_safetensors(folder / "whole.safetensors", arrays);
  Sequential large = half(2, 3), fits = half(2, 2);
  CHECK(throws<FileError>(
      [&] { load_torch_weights(large, folder / "whole.safetensors"); }, "nothing was changed",
      "attention/query/kernel from attention.in_proj_weight (the file has f64[4, 4], the model "
      "f64[4, 2, 3])"));
  CHECK(load_torch_weights(fits, folder / "whole.safetensors").loaded == 8);
  arrays.erase(std::find_if(arrays.begin(), arrays.end(),
                            [](const auto& a) { return a.name == "attention.in_proj_weight"; }));
  write_safetensors(folder / "part.safetensors", arrays);
  CHECK(throws<FileError>([&] { load_torch_weights(fits, folder / "part.safetensors"); },
                          "missing: attention/query/kernel from attention.in_proj_weight"));
}

TEST_CASE("layers and names without a counterpart are refused") {
  const auto path = written_by_torch("torch_weights.safetensors");
  Net net = built();
  CHECK(throws<OptionError>(
      [&] {
        load_torch_weights(net, path, {{"gruu", "gru"}});
      },
      "no layer with weights is at 'gruu'", "did you mean 'gru'?"));
  Sequential conv{SeparableConv1D{{.filters = 1, .kernel_size = 1}}};
  conv.build(Spec::f64({any, any, 3}));
  CHECK(throws<OptionError>([&] { load_torch_weights(conv, path); },
                            "no mapping for SeparableConv1D 'separable_conv1d'", "GRU"));
  Sequential before{GRU{{.units = 4, .reset_after = false}}};
  before.build(Spec::f64({any, any, 3}));
  CHECK(throws<OptionError>([&] { load_torch_weights(before, path); }, "reset_after false"));
}

}  // namespace
}  // namespace maskgrad::tests::test_weights_torch
