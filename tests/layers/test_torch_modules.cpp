#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <maskgrad/core/io/torch/torch_file.hpp>
#include <maskgrad/maskgrad.hpp>
#include <set>

#include "io/files.hpp"
#include "throws.hpp"

// data/torch_modules*.pt, torch_chain*.pt: what PyTorch wrote; see make_torch_modules.py.

namespace maskgrad::tests::test_torch_modules {
namespace {

std::filesystem::path written_by_torch(std::string_view name) {
  return files::beside("../layers/data") / name;
}

/// The modules of the file, under names of our own.
struct Net {
  Embedding embed{{.input_dim = 7, .output_dim = 4, .mask_zero = true}};
  Bidirectional gru{GRU{{.units = 3, .return_sequences = true}}},
      gru_1{GRU{{.units = 3, .return_sequences = true}}};
  LSTM lstm{{.units = 3, .return_sequences = true}},
      lstm_1 = LSTM{{.units = 3, .return_sequences = true}},
      lstm_2 = LSTM{{.units = 3, .return_sequences = true}};
  Bidirectional rnn{SimpleRNN{{.units = 2, .return_sequences = true}}},
      rnn_1{SimpleRNN{{.units = 2, .return_sequences = true}}};
  RNN cells{StackedRNNCells({LSTMCell{{.units = 2}}, LSTMCell{{.units = 2}}}),
            {.return_sequences = true}};
  MaskedConv1D conv{{.filters = 5, .kernel_size = 3, .padding = "same"}};
  BatchNormalization norm{{.epsilon = 1e-5}};
  MaskedConv1D grouped{{.filters = 2, .kernel_size = 1, .groups = 2}};
  TransformerEncoder encoder{{.intermediate_dim = 6, .num_heads = 2}},
      encoder_1{{.intermediate_dim = 6, .num_heads = 2}};
  TransformerDecoder decoder{{.intermediate_dim = 6, .num_heads = 2, .normalize_first = true}};
  MultiHeadAttention cross{{.num_heads = 2, .key_dim = 2}};
  PReLU slopes{{.shared_axes = std::vector<std::int64_t>{1}}};
  LayerNormalization head_norm{{.epsilon = 1e-5}};
  Dense out{{.units = 2}};

  Tensors operator()(const Tensor& ids) {
    const Tensor x = embed(ids), filtered = norm(conv(x)), encoded = encoder_1(encoder(x));
    return {gru_1(gru(x)),
            lstm_2(lstm_1(lstm(x))),
            rnn_1(rnn(x)),
            cells(x),
            filtered,
            grouped(x),
            encoded,
            decoder(x, encoded),
            cross(x, filtered),
            slopes(x),
            out(head_norm(x))};
  }
  static void each_layer(auto& self, auto&& f) {
    f("embed", self.embed);
    f("gru", self.gru);
    f("gru_1", self.gru_1);
    f("lstm", self.lstm);
    f("lstm_1", self.lstm_1);
    f("lstm_2", self.lstm_2);
    f("rnn", self.rnn);
    f("rnn_1", self.rnn_1);
    f("cells", self.cells);
    f("conv", self.conv);
    f("norm", self.norm);
    f("grouped", self.grouped);
    f("stack/first", self.encoder);
    f("stack/second", self.encoder_1);
    f("decoder", self.decoder);
    f("cross", self.cross);
    f("slopes", self.slopes);
    f("head/norm", self.head_norm);
    f("head/out", self.out);
  }
};

const TorchNames names = {{"gru_1", "gru"},
                          {"lstm_1", "lstm"},
                          {"lstm_2", "lstm"},
                          {"rnn_1", "rnn"},
                          {"conv", "conv.0"},
                          {"norm", "conv.1"},
                          {"stack", "encoder.layers"},
                          {"stack/first", "encoder.layers.0"},
                          {"stack/second", "encoder.layers.1"}};

const std::vector<std::string> outputs = {"gru",   "lstm",    "rnn",     "cells",
                                          "conv",  "grouped", "encoder", "decoder",
                                          "cross", "slopes",  "head"};

Net built() {
  Net net;
  build(net, Spec::ids({any, any}));
  return net;
}

const Array& array_of(const NamedArrays& arrays, std::string_view name) {
  const auto at =
      std::find_if(arrays.begin(), arrays.end(), [&](const auto& a) { return a.name == name; });
  REQUIRE(at != arrays.end());
  return at->array;
}

double apart(std::span<const float> a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double greatest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    greatest = std::max(greatest, std::abs(static_cast<double>(a[i]) - b[i]));
  }
  return greatest;
}

/// The greatest difference of each output from PyTorch's, on valid steps and with 0 on the others.
std::vector<double> differences(Net& net) {
  const Evaluate guard;
  const auto results = detail::read_torch(written_by_torch("torch_modules_results.pt"));
  const Tensors made = net(tensor(array_of(results, "ids").values<std::int64_t>(), {3, 5}));
  REQUIRE(made.size() == outputs.size());
  std::vector<double> all;
  for (std::size_t i = 0; i < made.size(); ++i) {
    all.push_back(apart(array_of(results, outputs[i]).values<float>(), made[i].to_vector<float>()));
  }
  return all;
}

std::set<std::string> names_of(const NamedArrays& arrays) {
  std::set<std::string> made;
  for (const auto& a : arrays) made.insert(a.name);
  return made;
}

TEST_CASE("stacked, bidirectional and composed modules give what PyTorch gives") {
  Net net = built();
  load_torch_weights(net, written_by_torch("torch_modules.pt"), names);
  const auto apart = differences(net);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    CAPTURE(outputs[i]);
    CHECK(apart[i] < 1e-5);
  }
}

TEST_CASE("what is saved has PyTorch's names and shapes, and loads to the same bits") {
  const files::TemporaryFolder folder;
  Net net = built(), again = built();
  const auto source = written_by_torch("torch_modules.pt");
  load_torch_weights(net, source, names);
  const auto theirs = detail::read_torch(source);
  for (const auto* file : {"w.pt", "w.pth", "w.safetensors", "w.npz"}) {
    save_torch_weights(net, folder / file, names);
    const auto report = load_torch_weights(again, folder / file, names);
    CHECK(report.loaded == named_parameters(net).size());
    for (std::size_t i = 0; i < named_parameters(net).size(); ++i) {
      CHECK(named_parameters(again)[i].parameter.value().to_vector<float>() ==
            named_parameters(net)[i].parameter.value().to_vector<float>());
    }
  }
  const auto ours = detail::read_torch(folder / "w.pt");
  CHECK(names_of(ours) == names_of(theirs));
  for (const auto& a : theirs) {
    CAPTURE(a.name);
    CHECK(array_of(ours, a.name).shape == a.array.shape);
    if (a.name.find("bias_") == a.name.npos) CHECK(array_of(ours, a.name) == a.array);
  }
}

TEST_CASE("an nn.Sequential goes to the layers in order, and may have a name in front") {
  const auto make = [] {
    Sequential chain{Embedding{{.input_dim = 7, .output_dim = 4}}, Dense{{.units = 3}}, ReLU{},
                     LayerNormalization{{.epsilon = 1e-5}}, Dense{{.units = 2}}};
    chain.build(Spec::ids({any, any}));
    return chain;
  };
  Sequential plain = make(), wrapped = make(), named = make();
  load_torch_weights(plain, written_by_torch("torch_chain.pt"));
  load_torch_weights(wrapped, written_by_torch("torch_chain_wrapped.pt"), {{"", "module"}});
  load_torch_weights(
      named, written_by_torch("torch_chain.pt"),
      {{"embedding", "0"}, {"dense", "1"}, {"layer_normalization", "3"}, {"dense_1", "4"}});
  const auto ids =
      array_of(detail::read_torch(written_by_torch("torch_modules_results.pt")), "ids");
  const auto want = detail::read_torch(written_by_torch("torch_chain_results.pt"))[0].array;
  for (auto* model : {&plain, &wrapped, &named}) {
    const Tensor y = model->predict(tensor(ids.values<std::int64_t>(), {3, 5}));
    CHECK(apart(want.values<float>(), y.to_vector<float>()) < 1e-5);
  }
}

/// Modules whose layers here take no mask over steps, or make one step.
struct Rest {
  Conv1DTranspose up{{.filters = 3, .kernel_size = 3, .strides = 2}};
  GroupNormalization group{{.groups = 2, .epsilon = 1e-5}};
  RMSNormalization rms{{.epsilon = 1e-6}};
  GRUCell gru{{.units = 3}};
  LSTMCell lstm{{.units = 3}};
  SimpleRNNCell rnn{{.units = 3}};

  Tensors operator()(const Tensors& inputs) {
    const Tensor &x = inputs[0], &state = inputs[1], step = select(x, 1, 0);
    return {up(x),
            group(x),
            rms(x),
            call(gru, Tensors{step, state})[0],
            call(lstm, Tensors{step, state, state})[0],
            call(rnn, Tensors{step, state})[0]};
  }
  static void each_layer(auto& self, auto&& f) {
    f("up", self.up);
    f("group", self.group);
    f("rms", self.rms);
    f("gru", self.gru);
    f("lstm", self.lstm);
    f("rnn", self.rnn);
  }
};

TEST_CASE("convolutions upwards, other norms and single cells give what PyTorch gives") {
  const auto results = detail::read_torch(written_by_torch("torch_rest_results.pt"));
  const Tensor x = tensor(array_of(results, "x").values<float>(), {2, 5, 4});
  const Tensor state = tensor(array_of(results, "state").values<float>(), {2, 3});
  Rest rest;
  build(rest, {Spec::f32({any, any, 4}), Spec::f32({any, 3})});
  load_torch_weights(rest, written_by_torch("torch_rest.pt"));
  const Evaluate guard;
  const Tensors made = rest({x, state});
  const std::vector<std::string> names_of_rest = {"up", "group", "rms", "gru", "lstm", "rnn"};
  for (std::size_t i = 0; i < made.size(); ++i) {
    CAPTURE(names_of_rest[i]);
    CHECK(apart(array_of(results, names_of_rest[i]).values<float>(), made[i].to_vector<float>()) <
          1e-5);
  }
  const files::TemporaryFolder folder;
  save_torch_weights(rest, folder / "w.pt");
  const auto ours = detail::read_torch(folder / "w.pt");
  const auto theirs = detail::read_torch(written_by_torch("torch_rest.pt"));
  CHECK(names_of(ours) == names_of(theirs));
}

TEST_CASE("all that is missing and unused is listed") {
  Net net = built();
  const files::TemporaryFolder folder;
  auto arrays = detail::read_torch(written_by_torch("torch_modules.pt"));
  for (auto& a : arrays) {
    if (a.name == "gru.weight_hh_l1_reverse") a.name = "gru.weight_hh_l2";
    if (a.name == "encoder.layers.1.norm2.weight") a.name = "encoder.layers.2.norm2.weight";
  }
  detail::write_torch(folder / "w.pt", arrays);
  CHECK(throws<FileError>(
      [&] { load_torch_weights(net, folder / "w.pt", names); }, "nothing was changed",
      "gru_1/backward/recurrent_kernel from gru.weight_hh_l1_reverse",
      "stack/second/feedforward_layer_norm/gamma from encoder.layers.1.norm2.weight",
      "unexpected: ", "gru.weight_hh_l2", "encoder.layers.2.norm2.weight"));
}

TEST_CASE("what PyTorch cannot have is not written") {
  const files::TemporaryFolder folder;
  Sequential wide{MultiHeadAttention{{.num_heads = 2, .key_dim = 3}}};
  wide.build(Spec::f32({any, any, 4}));
  CHECK(throws<OptionError>([&] { save_torch_weights(wide, folder / "w.pt"); },
                            "reads 4 features and has heads of 6"));
  Sequential twins{Dense{{.units = 2}}, Dense{{.units = 2}}};
  twins.build(Spec::f32({any, 2}));
  CHECK(throws<OptionError>(
      [&] {
        save_torch_weights(twins, folder / "w.pt", {{"dense_1", "dense"}});
      },
      "two layers give an array 'dense.weight'"));
  CHECK(throws<OptionError>([&] { save_torch_weights(twins, folder / "w.h5"); }, "'.h5'"));
  CHECK(folder.count() == 0);
}

}  // namespace
}  // namespace maskgrad::tests::test_torch_modules
