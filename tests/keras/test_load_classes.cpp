#include <doctest/doctest.h>

#include "keras/keras3.hpp"
#include "keras/keras_files.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_load_classes {
namespace {

using keras_files::apart;
using keras_files::File;
using keras_files::functional3;
using keras_files::input3;
using keras_files::layer3;
using keras_files::node3;
using keras_files::numbers;
using keras_files::tensor3;

std::string sequential2(const std::string& layers) {
  return R"({"class_name": "Sequential", "config": {"name": "s", "layers": [)" + layers + "]}}";
}

TEST_CASE("a class of one's own under the name of one of Keras's") {
  const std::string end =
      R"(, "config": {"name": "own", "trainable": true, "units": 3, "batch_input_shape": [null, 4, 2]})";
  const auto in_keras3 = [&](const std::string& whose) {
    return R"({"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": [
        {"module": "keras.layers", "class_name": "InputLayer", "config": {"name": "x", "batch_shape": [null, 4, 2]}},
        {"class_name": "Attention")" +
           end + "," + whose + "}]}}";
  };
  const std::string in_keras2 = sequential2(R"({"class_name": "Custom>Attention")" + end + "}");
  for (const char* whose : {R"("module": "__main__", "registered_name": "Custom>Attention")",
                            R"("module": null, "registered_name": "Attention")",
                            R"("module": "keras_nlp.src.layers", "registered_name": null)",
                            R"("module": "keras.layers", "registered_name": null)"}) {
    const File file(keras_files::zip(in_keras3(whose), "3.10.0",
                                     {{"layers/attention/vars/0", numbers({2, 3}, 1)},
                                      {"layers/attention/vars/1", numbers({3}, 2)}}));
    CHECK(lint(file.path()).status() == 3);
    CHECK(throws<FileError>([&] { load_keras(file.path()); }, "Attention 'own': there is no such"));
    const auto dense = [](const KerasCustom& custom) {
      CHECK(custom.class_name == "Attention");
      return AnyLayer(Dense{{.units = 3}});
    };
    const Functional told = load_keras(file.path(), {.custom = {{"Attention", dense}}});
    CHECK(parameters(told).at(0).value().to_vector<float>() == numbers({2, 3}, 1).values);
  }
  const File old(keras_files::h5(in_keras2, "2.8.0", {}));
  CHECK(lint(old.path()).calls.at(0).class_name == "Attention");
  CHECK(lint(old.path()).status() == 3);
}

TEST_CASE("numbers that were NumPy's") {
  const std::string layers =
      R"({"class_name": "LeakyReLU", "config": {"name": "l", "batch_input_shape": [null, 4, 2],
          "alpha": {"class_name": "__numpy__", "config": {"value": 0.25, "dtype": "float32"}}}},
         {"class_name": "ELU", "config": {"name": "e", "alpha": {"type": "ndarray", "value": 0.5}}})";
  const File file(keras_files::h5(sequential2(layers), "2.13.1", {}));
  const Tensor x = random_normal({2, 4, 2}, Seed{1});
  CHECK(apart(load_keras(file.path()).predict({x}).front(), elu(leaky_relu(x, 0.25), 0.5)) < 1e-6);
}

TEST_CASE("weights of models for each step, and of unlike cells on top of each other") {
  const std::string inner =
      R"({"module": "keras", "class_name": "Sequential", "config": {"name": "inner", "layers": [
          {"module": "keras.layers", "class_name": "InputLayer", "config": {"name": "y", "batch_shape": [null, 3]}},
          {"module": "keras.layers", "class_name": "LayerNormalization", "config": {"name": "n", "axis": -1, "epsilon": 0.001}},
          {"module": "keras.layers", "class_name": "Dense", "config": {"name": "d", "units": 2}}]}})";
  const std::string cells =
      R"({"module": "keras.layers", "class_name": "StackedRNNCells", "config": {"name": "c", "cells": [
          {"module": "keras.layers", "class_name": "LSTMCell", "config": {"name": "a", "units": 2}},
          {"module": "keras.layers", "class_name": "GRUCell", "config": {"name": "b", "units": 3, "reset_after": true}}]}})";
  const std::string layers =
      input3("x", "[null, 4, 3]") + "," +
      layer3("TimeDistributed", "td", "\"layer\": " + inner, node3(tensor3("x"))) + "," +
      layer3("RNN", "r", "\"cell\": " + cells, node3(tensor3("td")));
  const std::vector<hdf5_writer::Data> w{numbers({3}, 1),    numbers({3}, 2),    numbers({3, 2}, 3),
                                         numbers({2}, 4),    numbers({2, 8}, 5), numbers({2, 8}, 6),
                                         numbers({8}, 7),    numbers({2, 9}, 8), numbers({3, 9}, 9),
                                         numbers({2, 9}, 10)};
  const std::string td = "layers/time_distributed/layer/layers/", rnn = "layers/rnn/cell/cells/";
  const File file(keras_files::zip(functional3(layers, R"([["x", 0, 0]])", R"([["r", 0, 0]])"),
                                   "3.10.0",
                                   {{td + "layer_normalization/vars/0", w[0]},
                                    {td + "layer_normalization/vars/1", w[1]},
                                    {td + "dense/vars/0", w[2]},
                                    {td + "dense/vars/1", w[3]},
                                    {rnn + "lstm_cell/vars/0", w[4]},
                                    {rnn + "lstm_cell/vars/1", w[5]},
                                    {rnn + "lstm_cell/vars/2", w[6]},
                                    {rnn + "gru_cell/vars/0", w[7]},
                                    {rnn + "gru_cell/vars/1", w[8]},
                                    {rnn + "gru_cell/vars/2", w[9]}}));
  Sequential own{LayerNormalization{{.epsilon = 0.001}}, Dense{{.units = 2}},
                 RNN{StackedRNNCells({LSTMCell{{.units = 2}}, GRUCell{{.units = 3}}})}};
  own.build(Spec::f32({any, any, 3}));
  keras_files::set(own, w);
  const Tensor x = random_normal({2, 4, 3}, Seed{1});
  CHECK(apart(load_keras(file.path()).predict({x}).front(), own.predict(x)) < 1e-6);
}

TEST_CASE("slopes of their own for each step") {
  const std::string layers =
      R"({"class_name": "PReLU", "config": {"name": "p", "batch_input_shape": [null, 4, 2], "shared_axes": null}})";
  const File file(
      keras_files::h5(sequential2(layers), "2.4.0", {{"p", {{"p/alpha:0", numbers({4, 2}, 1)}}}}));
  const Tensor x = random_normal({3, 4, 2}, Seed{1});
  CHECK(apart(load_keras(file.path()).predict({x}).front(),
              prelu(x, keras_files::tensor_of(numbers({4, 2}, 1)))) < 1e-6);
  const File other(
      keras_files::h5(sequential2(layers), "2.4.0", {{"p", {{"p/alpha:0", numbers({3, 2}, 1)}}}}));
  CHECK(
      throws<FileError>([&] { load_keras(other.path()); }, "a weight of PReLU 'p' is f32 [3, 2]"));
}

TEST_CASE("text that becomes numbers for each text") {
  const std::string layers =
      R"({"class_name": "InputLayer", "name": "t", "config": {"name": "t", "batch_shape": [null, 1], "dtype": "string"}, "inbound_nodes": []},)" +
      layer3("TextVectorization", "v", R"("output_mode": "tf_idf", "max_tokens": 9)",
             node3(tensor3("t"))) +
      "," + layer3("Dense", "d", R"("units": 2)", node3(tensor3("v")));
  const File file(keras_files::zip(
      functional3(layers, R"([["t", 0, 0]])", R"([["d", 0, 0]])"), "3.10.0",
      {{"layers/dense/vars/0", numbers({5, 2}, 1)}, {"layers/dense/vars/1", numbers({2}, 2)}}));
  CHECK(load_keras(file.path()).predict({random_normal({3, 5}, Seed{1})}).front().shape() ==
        Shape{3, 2});
  CHECK(lint(file.path()).status() == 0);
}

TEST_CASE("grouped attention by its name in Keras") {
  const std::string layers =
      input3("x", "[null, null, 8]") + "," +
      layer3("GroupQueryAttention", "g",
             R"("head_dim": 4, "num_query_heads": 2, "num_key_value_heads": 1, "use_bias": false)",
             node3(tensor3("x") + "," + tensor3("x")));
  const std::string at = "layers/grouped_query_attention/";
  const File file(keras_files::zip(functional3(layers, R"([["x", 0, 0]])", R"([["g", 0, 0]])"),
                                   "3.10.0",
                                   {{at + "_query_dense/vars/0", numbers({8, 2, 4}, 1)},
                                    {at + "_key_dense/vars/0", numbers({8, 1, 4}, 2)},
                                    {at + "_value_dense/vars/0", numbers({8, 1, 4}, 3)},
                                    {at + "_output_dense/vars/0", numbers({2, 4, 8}, 4)}}));
  const Functional model = load_keras(file.path());
  const Tensor x = random_normal({2, 3, 8}, Seed{1});
  const File again("");
  save_keras(model, again.path());
  CHECK(apart(load_keras(again.path()).predict({x}).front(), model.predict({x}).front()) == 0);
  CHECK(lint(again.path()).calls.at(0).class_name == "GroupedQueryAttention");
}

}  // namespace
}  // namespace maskgrad::tests::test_load_classes
