#include <doctest/doctest.h>

#include "keras/keras_files.hpp"

namespace maskgrad::tests::test_load_spellings {
namespace {

using keras_files::apart;
using keras_files::File;
using keras_files::numbers;

std::string layer2(const std::string& kind, const std::string& name, const std::string& config,
                   const std::string& nodes) {
  return R"({"class_name": ")" + kind + R"(", "name": ")" + name + R"(", "config": {"name": ")" +
         name + R"(", "trainable": true)" + (config.empty() ? "" : ", " + config) +
         R"(}, "inbound_nodes": [)" + nodes + "]}";
}
std::string model2(const std::string& layers, const std::string& inputs,
                   const std::string& outputs) {
  return R"({"class_name": "Functional", "config": {"name": "m", "layers": [)" + layers +
         R"(], "input_layers": )" + inputs + R"(, "output_layers": )" + outputs + "}}";
}

TEST_CASE("a Merge of Keras 1 at the head of a Sequential, with layers of their own names") {
  const auto branch = [](const std::string& name, int features) {
    return R"({"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {"name": ")" +
           name + R"(", "batch_input_shape": [null, )" + std::to_string(features) +
           R"(], "output_dim": 2, "activation": "relu", "bias": true}}]})";
  };
  const std::string config =
      R"({"class_name": "Sequential", "config": [{"class_name": "Merge", "config": {"name": "merge_1",
      "layers": [)" +
      branch("a", 3) + "," + branch("b", 2) + R"(], "mode": "concat", "concat_axis": -1}},
      {"class_name": "Dense", "config": {"name": "out", "output_dim": 1, "activation": "linear"}}]})";
  const std::vector<hdf5_writer::Data> a{numbers({3, 2}, 1), numbers({2}, 2)},
      b{numbers({2, 2}, 3), numbers({2}, 4)}, out{numbers({4, 1}, 5), numbers({1}, 6)};
  const File file(keras_files::h5(config, "1.2.2",
                                  {{"a", {{"a_W", a[0]}, {"a_b", a[1]}}},
                                   {"b", {{"b_W", b[0]}, {"b_b", b[1]}}},
                                   {"out", {{"out_W", out[0]}, {"out_b", out[1]}}}}));
  Dense first{{.units = 2, .activation = "relu"}}, second{{.units = 2, .activation = "relu"}},
      last{{.units = 1}};
  build(first, Spec::f32({any, 3}));
  build(second, Spec::f32({any, 2}));
  build(last, Spec::f32({any, 4}));
  keras_files::set(first, a);
  keras_files::set(second, b);
  keras_files::set(last, out);
  const Tensor x = random_normal({4, 3}, Seed{1}), y = random_normal({4, 2}, Seed{2});
  const Evaluate evaluate;
  const Tensor wanted = call(last, concatenate({call(first, x), call(second, y)}));
  for (const bool as_keras : {false, true}) {
    CHECK(apart(load_keras(file.path(), {.as_keras = as_keras}).predict({x, y}).front(), wanted) <
          1e-6);
  }
}

TEST_CASE("an LSTM of Keras 1, a matrix for each gate") {
  const auto kernel = numbers({2, 12}, 1), recurrent = numbers({3, 12}, 2), bias = numbers({12}, 3);
  const auto gate = [](const hdf5_writer::Data& of, std::int64_t g) {
    const bool vector = of.shape.size() == 1;
    const std::int64_t rows = vector ? 1 : of.shape[0];
    hdf5_writer::Data made{
        vector ? std::vector<std::int64_t>{3} : std::vector<std::int64_t>{rows, 3}, {}};
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t u = 0; u < 3; ++u)
        made.values.push_back(of.values[static_cast<std::size_t>(i * 12 + g * 3 + u)]);
    }
    return made;
  };
  keras_files::Weights weights{"l", {}};
  for (const auto& [name, g] :
       {std::pair{"i", 0}, {"c", 2}, {"f", 1}, {"o", 3}}) {  // as Keras 1 listed them
    weights.all.emplace_back(std::string("l_W_") + name, gate(kernel, g));
    weights.all.emplace_back(std::string("l_U_") + name, gate(recurrent, g));
    weights.all.emplace_back(std::string("l_b_") + name, gate(bias, g));
  }
  const std::string config =
      R"({"class_name": "Sequential", "config": [{"class_name": "LSTM", "config": {"name": "l",
      "batch_input_shape": [null, 4, 2], "output_dim": 3, "inner_activation": "hard_sigmoid", "activation": "tanh"}}]})";
  const File file(keras_files::h5(config, "1.2.0", {weights}));
  LSTM own{{.units = 3, .recurrent_activation = "keras2_hard_sigmoid"}};
  build(own, Spec::f32({any, any, 2}));
  keras_files::set(own, {kernel, recurrent, bias});
  const Tensor x = random_normal({2, 4, 2}, Seed{1});
  const Evaluate evaluate;
  CHECK(apart(load_keras(file.path()).predict({x}).front(), call(own, x)) < 1e-6);
}

TEST_CASE("functions of TensorFlow in a graph of Keras 2") {
  const std::string layers =
      layer2("InputLayer", "x", R"("batch_input_shape": [null, null, 2])", "") + "," +
      layer2("TFOpLambda", "tf.math.multiply", R"("function": "math.multiply")",
             R"(["x", 0, 0, {"y": 2.0, "name": null}])") +
      "," +
      layer2("TFOpLambda", "tf.math.reduce_sum", R"("function": "math.reduce_sum")",
             R"(["tf.math.multiply", 0, 0, {"axis": 1}])") +
      "," +
      layer2("SlicingOpLambda", "getitem", R"("function": "__operators__.getitem")",
             R"(["x", 0, 0, {"slice_spec": [{"start": null, "stop": null, "step": null}, -1]}])") +
      "," +
      layer2("TFOpLambda", "plus", R"("function": "__operators__.add")",
             R"(["tf.math.reduce_sum", 0, 0, {"y": ["getitem", 0, 0]}])");
  const File file(
      keras_files::h5(model2(layers, R"([["x", 0, 0]])", R"([["plus", 0, 0]])"), "2.8.0", {}));
  const Tensor x = random_normal({3, 5, 2}, Seed{1});
  const Tensor wanted = sum(x * 2.0, {1}) + select(x, 1, -1);
  for (const bool as_keras : {false, true}) {
    CHECK(apart(load_keras(file.path(), {.as_keras = as_keras}).predict({x}).front(), wanted) <
          1e-5);
  }
  // Under a mask the last step is each sequence's own.
  const Mask steps = Mask::from_lengths({5, 2, 3});
  const Tensor y = load_keras(file.path()).predict({x.with_mask(steps)}).front();
  const Tensor own = x.with_mask(steps);
  const Tensor alone = sum(own * 2.0, {1}) + last_valid(own);
  CHECK(apart(y, alone) < 1e-5);
  const Lint found = lint(file.path());
  CHECK(found.calls.at(0).class_name == "TFOpLambda");
  CHECK(found.status() == 1);
}

TEST_CASE("cells on top of each other, and a model for each step") {
  const std::vector<hdf5_writer::Data> first{numbers({2, 9}, 1), numbers({3, 9}, 2),
                                             numbers({9}, 3)},
      second{numbers({3, 8}, 4), numbers({2, 8}, 5), numbers({8}, 6)},
      dense{numbers({2, 2}, 7), numbers({2}, 8)};
  const std::string inner =
      R"({"class_name": "Sequential", "config": {"name": "s", "layers": [{"class_name": "Dense", "config": {"name": "d",
          "batch_input_shape": [null, 2], "units": 2, "activation": "tanh"}}]}})";
  const std::string cells =
      R"({"class_name": "StackedRNNCells", "config": {"name": "cells", "cells": [
          {"class_name": "GRUCell", "config": {"name": "g", "units": 3, "recurrent_activation": "sigmoid", "reset_after": false}},
          {"class_name": "LSTMCell", "config": {"name": "l", "units": 2, "recurrent_activation": "sigmoid"}}]}})";
  const std::string config = R"({"class_name": "Sequential", "config": {"name": "q", "layers": [
      {"class_name": "TimeDistributed", "config": {"name": "td", "batch_input_shape": [null, 4, 2], "layer": )" +
                             inner + R"(}},
      {"class_name": "RNN", "config": {"name": "rnn", "return_sequences": true, "cell": )" +
                             cells + "}}]}}";
  const File file(keras_files::h5(config, "2.3.1",
                                  {{"td", {{"d/kernel:0", dense[0]}, {"d/bias:0", dense[1]}}},
                                   {"rnn",
                                    {{"g/kernel:0", first[0]},
                                     {"g/recurrent_kernel:0", first[1]},
                                     {"g/bias:0", first[2]},
                                     {"l/kernel:0", second[0]},
                                     {"l/recurrent_kernel:0", second[1]},
                                     {"l/bias:0", second[2]}}}}));
  Sequential own{
      Dense{{.units = 2, .activation = "tanh"}},
      RNN{StackedRNNCells({GRUCell{{.units = 3, .reset_after = false}}, LSTMCell{{.units = 2}}}),
          {.return_sequences = true}}};
  own.build(Spec::f32({any, any, 2}));
  auto all = dense;
  all.insert(all.end(), first.begin(), first.end());
  all.insert(all.end(), second.begin(), second.end());
  keras_files::set(own, all);
  const Tensor x = random_normal({2, 4, 2}, Seed{1});
  CHECK(apart(load_keras(file.path()).predict({x}).front(), own.predict(x)) < 1e-6);
}

TEST_CASE("attention by keywords, causal, and depthwise convolutions, each in both modes") {
  const std::vector<hdf5_writer::Data> heads{
      numbers({2, 2, 3}, 1), numbers({2, 3}, 2), numbers({2, 2, 3}, 3), numbers({2, 3}, 4),
      numbers({2, 2, 3}, 5), numbers({2, 3}, 6), numbers({2, 3, 2}, 7), numbers({2}, 8)};
  const std::vector<hdf5_writer::Data> separable{numbers({3, 2, 2}, 9), numbers({1, 4, 3}, 10),
                                                 numbers({3}, 11)};
  const std::string layers =
      layer2("InputLayer", "x", R"("batch_input_shape": [null, null, 2])", "") + "," +
      layer2("MultiHeadAttention", "mha",
             R"("num_heads": 2, "key_dim": 3, "value_dim": 3, "attention_axes": [1])",
             R"([["x", 0, 0, {"value": ["x", 0, 0], "use_causal_mask": true}]])") +
      "," +
      layer2(
          "SeparableConv1D", "sep",
          R"("filters": 3, "kernel_size": [3], "padding": "same", "depth_multiplier": 2, "activation": "relu")",
          R"([["mha", 0, 0, {}]])");
  keras_files::Weights mha{"mha", {}}, sep{"sep", {}};
  for (std::size_t i = 0; i < heads.size(); ++i)
    mha.all.emplace_back("mha/w" + std::to_string(i), heads[i]);
  for (std::size_t i = 0; i < separable.size(); ++i)
    sep.all.emplace_back("sep/w" + std::to_string(i), separable[i]);
  const File file(keras_files::h5(model2(layers, R"([["x", 0, 0]])", R"([["sep", 0, 0]])"),
                                  "2.11.0", {mha, sep}));
  MultiHeadAttention attend{{.num_heads = 2, .key_dim = 3, .use_causal_mask = true}};
  build(attend, Spec::f32({any, any, 2}));
  keras_files::set(attend, heads);
  SeparableConv1D convolve{{.filters = 3,
                            .kernel_size = 3,
                            .padding = "same",
                            .depth_multiplier = 2,
                            .activation = "relu"}};
  build(convolve, Spec::f32({any, any, 2}));
  keras_files::set(convolve, separable);
  const Tensor x = random_normal({2, 5, 2}, Seed{1});
  const Evaluate evaluate;
  const Tensor wanted = call(convolve, call(attend, x));
  for (const bool as_keras : {false, true}) {
    CHECK(apart(load_keras(file.path(), {.as_keras = as_keras}).predict({x}).front(), wanted) <
          1e-5);
  }
  CHECK(load_keras(file.path())
            .predict({x.with_mask(Mask::from_lengths({5, 2}))})
            .front()
            .has_mask());
}

}  // namespace
}  // namespace maskgrad::tests::test_load_spellings
