#include <doctest/doctest.h>

#include <cstring>

#include <maskgrad/layers/keras/file.hpp>

#include "keras/keras_files.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_save_keras {
namespace {

using files::TemporaryFolder;

/// Gives every weight a value of its own, the same each time.
template <class M>
void fill(const M& model) {
  int seed = 0;
  for (const auto& p : parameters(model)) {
    const Tensor drawn =
        random_uniform(p.shape(), Seed{static_cast<std::uint64_t>(++seed)}, 0.1, 0.9);
    p.set(cast(drawn, p.tensor().dtype()));
  }
}

Functional one_layer(const AnyLayer& layer, const std::vector<Spec>& specs) {
  Functional model("one");
  std::vector<Functional::Node> inputs;
  for (std::size_t i = 0; i < specs.size(); ++i)
    inputs.push_back(model.input(fmt::format("in{}", i)));
  model.outputs({model.add(layer, inputs)});
  model.build(specs, Seed{1});
  fill(model);
  return model;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return false;
  const auto as = a.to_vector<float>(), bs = b.to_vector<float>();
  return std::memcmp(as.data(), bs.data(), as.size() * sizeof(float)) == 0;
}

Functional saved_and_loaded(const Functional& model, const KerasSaveOptions& options = {}) {
  const TemporaryFolder folder;
  save_keras(model, folder / "m.keras", options);
  return load_keras(folder / "m.keras");
}

struct Row {
  std::string_view kind, options;
  int inputs = 1;
  std::string_view input = "steps";  ///< of 3 sequences: [5, 4], ids [5], or one row [4]
};

const std::vector<Row> rows = {
    {"Masking", R"({"mask_value": 0.5})"},
    {"Embedding", R"({"input_dim": 9, "output_dim": 3, "mask_zero": true})", 1, "ids"},
    {"Dense", R"({"units": 3, "activation": "gelu"})"},
    {"Dense", R"({"units": 3, "use_bias": false})", 1, "row"},
    {"EinsumDense", R"({"equation": "abc,cd->abd", "output_shape": [null, 3], "bias_axes": "d"})"},
    {"Activation", R"({"activation": "silu"})"},
    {"ReLU", R"({"max_value": 0.5, "negative_slope": 0.1})"},
    {"LeakyReLU", R"({"negative_slope": 0.2})"},
    {"PReLU", R"({"shared_axes": [1]})"},
    {"ELU", R"({"alpha": 0.5})"},
    {"Softmax", "{}"},
    {"Dropout", R"({"rate": 0.5})"},
    {"SpatialDropout1D", R"({"rate": 0.5})"},
    {"GaussianDropout", R"({"rate": 0.5})"},
    {"AlphaDropout", R"({"rate": 0.5})"},
    {"GaussianNoise", R"({"stddev": 0.5})"},
    {"SimpleRNN", R"({"units": 3, "return_sequences": true})"},
    {"GRU", R"({"units": 3, "reset_after": false})"},
    {"GRU", R"({"units": 3, "go_backwards": true, "return_sequences": true})"},
    {"LSTM", R"({"units": 3, "recurrent_activation": "hard_sigmoid", "unit_forget_bias": false})"},
    {"Bidirectional", R"({"layer": {"class_name": "LSTM", "config": {"units": 2}},
                          "merge_mode": "sum"})"},
    {"Bidirectional", R"({"layer": {"class_name": "GRU", "config": {"units": 2}},
                          "merge_mode": "concat"})"},
    {"Bidirectional", R"({"layer": {"class_name": "GRU", "config": {"units": 2}},
                          "merge_mode": "none"})"},
    {"RNN", R"({"cell": {"class_name": "GRUCell", "config": {"units": 3}}})"},
    {"RNN", R"({"cell": {"class_name": "StackedRNNCells", "config": {"cells": [
                {"class_name": "LSTMCell", "config": {"units": 3}},
                {"class_name": "SimpleRNNCell", "config": {"units": 2}},
                {"class_name": "LSTMCell", "config": {"units": 2}}]}}, "return_sequences": true})"},
    {"TimeDistributed", R"({"layer": {"class_name": "Dense", "config": {"units": 2}}})"},
    {"BatchNormalization", R"({"epsilon": 0.01})"},
    {"BatchNormalization", R"({"center": false, "scale": false})"},
    {"LayerNormalization", R"({"epsilon": 1e-5})"},
    {"RMSNormalization", "{}"},
    {"UnitNormalization", "{}"},
    {"GroupNormalization", R"({"groups": 2})"},
    {"MaskedConv1D", R"({"filters": 4, "kernel_size": 3, "padding": "causal", "groups": 2})"},
    {"MaskedConv1D", R"({"filters": 3, "kernel_size": 2, "strides": 2, "activation": "relu"})"},
    {"Conv1D", R"({"filters": 3, "kernel_size": 2, "dilation_rate": 2})"},
    {"SeparableConv1D", R"({"filters": 3, "kernel_size": 2, "depth_multiplier": 2})"},
    {"DepthwiseConv1D", R"({"kernel_size": 2})"},
    {"Conv1DTranspose", R"({"filters": 3, "kernel_size": 2, "strides": 2})"},
    {"MaskedMaxPooling1D", R"({"pool_size": 2})"},
    {"MaskedAveragePooling1D", R"({"pool_size": 2, "strides": 1, "padding": "same"})"},
    {"MaxPooling1D", R"({"pool_size": 2})"},
    {"GlobalMaxPooling1D", "{}"},
    {"GlobalAveragePooling1D", R"({"keepdims": true})"},
    {"UpSampling1D", R"({"size": 2})"},
    {"ZeroPadding1D", R"({"padding": 1})"},
    {"Cropping1D", R"({"cropping": 1})"},
    {"MultiHeadAttention", R"({"num_heads": 2, "key_dim": 3, "use_causal_mask": true})"},
    {"MultiHeadAttention", R"({"num_heads": 2, "key_dim": 3, "value_dim": 2})", 3},
    {"GroupedQueryAttention", R"({"head_dim": 2, "num_query_heads": 4, "num_key_value_heads": 2})",
     2},
    {"Attention", R"({"use_scale": true})", 2},
    {"AdditiveAttention", R"({"use_causal_mask": true})", 2},
    {"Add", "{}", 3},
    {"Subtract", "{}", 2},
    {"Multiply", "{}", 2},
    {"Average", "{}", 2},
    {"Maximum", "{}", 2},
    {"Minimum", "{}", 2},
    {"Concatenate", R"({"axis": -1})", 2},
    {"Dot", R"({"axes": [2, 2], "normalize": true})", 2},
    {"RepeatVector", R"({"n": 3})", 1, "row"},
    {"Permute", R"({"dims": [2, 1]})"},
    {"Reshape", R"({"target_shape": [2, 2]})", 1, "row"},
    {"Flatten", "{}", 1, "row"},
};

TEST_CASE("each layer that both have gives the same when saved and loaded") {
  for (const auto& row : rows) {
    CAPTURE(row.kind);
    CAPTURE(row.options);
    const bool ids = row.input == "ids", steps = row.input == "steps";
    const Shape shape = ids ? Shape{any, any} : steps ? Shape{any, any, 4} : Shape{any, 4};
    const std::vector<Spec> specs(static_cast<std::size_t>(row.inputs),
                                  ids ? Spec::ids(shape) : Spec::f32(shape));
    const Functional model = one_layer(make_layer(row.kind, row.options), specs);
    Functional again;
    CHECK_NOTHROW(again = saved_and_loaded(model));
    if (again.size() == 0) continue;
    Tensors x;
    for (int i = 0; i < row.inputs; ++i) {
      const Tensor drawn = random_uniform(steps ? Shape{3, 5, 4}
                                          : ids ? Shape{3, 5}
                                                : Shape{3, 4},
                                          Seed{static_cast<std::uint64_t>(i)}, 0, 8);
      x.push_back(ids ? cast(drawn, DType::i64) : drawn);
    }
    const Tensors want = model.predict(x), got = again.predict(x);
    REQUIRE(want.size() == got.size());
    for (std::size_t i = 0; i < want.size(); ++i) {
      const bool windows =
          row.kind.find("Conv1D") != row.kind.npos && !row.kind.starts_with("Masked");
      CHECK((windows ? keras_files::apart(want[i], got[i]) < 1e-5 : same_bits(want[i], got[i])));
    }
  }
}

TEST_CASE("a graph of shared and nested models and states goes through a file") {
  Functional inner("inside");
  const auto a = inner.input("a");
  inner.outputs(
      {inner.add(GRU{{.units = 3, .return_sequences = true, .return_state = true}}, {a})});
  Functional model("whole");
  const auto left = model.input("left"), right = model.input("right");
  const auto mask = model.layer(Masking{});
  const auto shared = model.layer(inner);
  const auto l = model.call(shared, {model.call(mask, {left})});
  const auto r = model.call(shared, {model.call(mask, {right})});
  const auto chain = model.add(
      Sequential(std::vector<AnyLayer>{AnyLayer(Dense{{.units = 3}}), AnyLayer(LeakyReLU{})},
                 "chain"),
      {l});
  const auto both = model.add(Add{}, {chain, r});
  const auto seen = model.add(LSTM{{.units = 2, .return_state = true, .name = "last"}}, {both});
  const auto with_state = model.add(LSTM{{.units = 2}}, {r, seen[1], seen[2]});
  model.outputs({seen, with_state, r});
  model.build({Spec::f32({any, any, 2}), Spec::f32({any, any, 2})}, Seed{1});
  fill(model);
  const Functional again = saved_and_loaded(model);
  const Tensor drawn = random_normal({3, 5, 2}, Seed{4}), y = random_normal({3, 5, 2}, Seed{5});
  const Tensor x = drawn.with_mask(Mask::from_lengths({5, 2, 3})).drop_mask("zeros as padding");
  const Tensors want = model.predict({x, y}), got = again.predict({x, y});
  REQUIRE(got.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(same_bits(want[i], got[i]));
}

TEST_CASE("groups of weights are counted in the order in which Keras lists layers") {
  const TemporaryFolder folder;
  Functional model;
  const auto x = model.input("x"), unread = model.input("unread");
  const auto near = model.add(Dense{{.units = 2, .name = "near"}}, {x});
  model.add(Dense{{.units = 2, .name = "unneeded"}}, {unread});
  const auto far = model.add(Dense{{.units = 2, .name = "far"}}, {x});
  const auto middle = model.add(Dense{{.units = 2, .name = "middle"}}, {far});
  model.outputs({model.add(Add{}, {near, middle})});
  model.build({Spec::f32({any, 2}), Spec::f32({any, 2})}, Seed{1});
  save_keras(model, folder / "m.keras");
  const detail::KerasFile file(folder / "m.keras", "test");
  const auto name_of = [&](const std::string& group) {
    const auto* found = file.weights().find("layers/" + group + "/vars");
    return found ? found->text("name") : "";
  };
  CHECK(name_of("dense") == "far");  // farthest from the output
  CHECK(name_of("dense_1") == "near");
  CHECK(name_of("dense_2") == "middle");
  CHECK(name_of("dense_3").empty());
  CHECK(name_of("input_layer") == "x");
  CHECK(name_of("input_layer_1") == "unread");
  const Tensor a = random_normal({3, 2}, Seed{2}), b = random_normal({3, 2}, Seed{3});
  const Functional again = load_keras(folder / "m.keras");
  CHECK(same_bits(model.predict({a, b})[0], again.predict({a, b})[0]));
}

TEST_CASE("a Sequential is one in the file, in f64 too, and nothing is written twice") {
  const TemporaryFolder folder;
  Sequential model{Masking{}, Dense{{.units = 3}}, BatchNormalization{}, Dense{{.units = 2}}};
  model.build(Spec::f64({any, any, 4}), Seed{1});
  save_keras(model, folder / "a.keras");
  save_keras(model, folder / "b.keras");
  CHECK(files::load(folder / "a.keras") == files::load(folder / "b.keras"));
  CHECK(files::load(folder / "a.keras").find("\"class_name\":\"Sequential\"") != std::string::npos);
  CHECK(files::load(folder / "a.keras").find("float32") == std::string::npos);
  CHECK(lint(folder / "a.keras").status() == 0);
  const Functional again = load_keras(folder / "a.keras");
  const Tensor x = random_normal({2, 3, 4}, Seed{2});
  CHECK(keras_files::apart(cast(model.predict(cast(x, DType::f64)), DType::f32),
                           again.predict({x}).front()) < 1e-6);
}

TEST_CASE("what loading put in for masks is not written") {
  const std::string config =
      R"({"class_name": "Sequential", "config": {"name": "s", "layers": [
          {"class_name": "Masking", "config": {"name": "m", "batch_input_shape": [null, 3, 2]}},
          {"class_name": "GRU", "config": {"name": "g", "units": 2, "return_sequences": true,
                                           "reset_after": true}},
          {"class_name": "Flatten", "config": {"name": "f"}},
          {"class_name": "Dense", "config": {"name": "d", "units": 1}}]}})";
  using keras_files::numbers;
  const keras_files::File file(keras_files::h5(
      config, "2.15.0",
      {{"g",
        {{"g/kernel:0", numbers({2, 6}, 1)},
         {"g/recurrent_kernel:0", numbers({2, 6}, 2)},
         {"g/bias:0", numbers({2, 6}, 3)}}},
       {"d", {{"d/kernel:0", numbers({6, 1}, 4)}, {"d/bias:0", numbers({1}, 5)}}}}));
  const Functional model = load_keras(file.path());
  REQUIRE(model.size() == 5);  // a layer before Flatten ends the mask
  const Functional again = saved_and_loaded(model);
  CHECK(again.size() == 5);
  const Tensor x = random_normal({4, 3, 2}, Seed{1});
  CHECK(same_bits(model.predict({x})[0], again.predict({x})[0]));
}

TEST_CASE("what Keras has not is refused whole") {
  const TemporaryFolder folder;
  Functional model;
  const auto x = model.input("x");
  const auto one = model.add(MinGRU{{.units = 2, .return_sequences = true, .name = "first"}}, {x});
  const auto two = model.add(
      Lambda([](const Tensor& t) { return t; },
             MaskContract{.role = MaskRole::propagates, .why = "the same"}, {.name = "second"}),
      {one});
  model.outputs({model.add(
      MultiHeadAttention{{.num_heads = 1, .key_dim = 2, .window = 3, .name = "third"}}, {two})});
  model.build({Spec::f32({any, any, 2})}, Seed{1});
  CHECK(throws<FileError>([&] { save_keras(model, folder / "m.keras"); }, "save_keras",
                          "MinGRU 'first': Keras has no such layer", "Lambda 'second': a function",
                          "MultiHeadAttention 'third': its option .window is 3"));
  Sequential old{Dense{{.units = 2, .activation = "keras2_hard_sigmoid"}}};
  old.build(Spec::f32({any, 2}), Seed{1});
  CHECK(throws<FileError>([&] { save_keras(old, folder / "m.keras"); },
                          "weights before it times 1.2"));
  Sequential absent{Masking{{.mask_value = std::nan("")}}};
  absent.build(Spec::f32({any, any, 2}), Seed{1});
  CHECK(
      throws<FileError>([&] { save_keras(absent, folder / "m.keras"); }, ".mask_value is \"nan\""));
  Sequential attends{MultiHeadAttention{{.num_heads = 1, .key_dim = 2}}};
  attends.build(Spec::f32({any, any, 2}), Seed{1});
  CHECK(throws<FileError>([&] { save_keras(attends, folder / "m.keras"); }, "no Sequential"));
  Sequential masked{GRU{{.units = 2}}}, unbuilt{GRU{{.units = 2}}};
  masked.build(Spec::f32({any, any, 2}).masked(2), Seed{1});
  CHECK(throws<MaskError>([&] { save_keras(masked, folder / "m.keras"); }, "Masking"));
  CHECK(throws<StateError>([&] { save_keras(unbuilt, folder / "m.keras"); }, "build"));
  CHECK(folder.count() == 0);
  CHECK_NOTHROW(save_keras(masked, folder / "m.keras", {.drop_input_masks = true}));
}

}  // namespace
}  // namespace maskgrad::tests::test_save_keras
