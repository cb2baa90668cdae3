#include <doctest/doctest.h>

#include "keras/keras3.hpp"
#include "keras/masked_gru.hpp"

namespace maskgrad::tests::test_load_graphs {
namespace {

using keras_files::apart;
using keras_files::dense_weights;
using keras_files::expected;
using keras_files::File;
using keras_files::functional3;
using keras_files::gru_config;
using keras_files::gru_weights;
using keras_files::input3;
using keras_files::layer3;
using keras_files::numbers;
using keras_files::padded_input;
using keras_files::tensor3;

/// As Keras 3 writes it: the mask is a node, weights are found by class and count.
std::string keras3_with_mask_nodes(const std::string& root) {
  const std::string trained =
      R"("trainable": true, "dtype": {"class_name": "DTypePolicy", "config": {"name": "float32"}})";
  const std::string layers =
      input3("x", "[null, 5, 2]") + "," +
      layer3("NotEqual", "not_equal", "",
             R"({"args": [)" + tensor3("x") + R"(, 0.0], "kwargs": {}})", "keras.src.ops.numpy") +
      "," +
      layer3("Masking", "masking", trained + R"(, "mask_value": 0.0)",
             R"({"args": [)" + tensor3("x") + R"(], "kwargs": {}})") +
      "," +
      layer3("Any", "any", R"("axis": -1, "keepdims": false)",
             R"({"args": [)" + tensor3("not_equal") + R"(], "kwargs": {}})",
             "keras.src.ops.numpy") +
      "," +
      layer3("GRU", "gru_7", trained + "," + gru_config,
             R"({"args": [)" + tensor3("masking") + R"(], "kwargs": {"mask": )" + tensor3("any") +
                 R"(, "training": false}})") +
      "," +
      layer3("Dense", "head", trained + R"(, "units": 2, "activation": "softmax")",
             R"({"args": [)" + tensor3("gru_7") + R"(], "kwargs": {}})");
  return keras_files::zip(functional3(layers, R"(["x", 0, 0])", R"([["head", 0, 0]])"), "3.11.3",
                          {{root + "gru/cell/vars/0", gru_weights[0]},
                           {root + "gru/cell/vars/1", gru_weights[1]},
                           {root + "gru/cell/vars/2", gru_weights[2]},
                           {root + "dense/vars/0", dense_weights[0]},
                           {root + "dense/vars/1", dense_weights[1]},
                           {"optimizer/vars/0", numbers({1}, 1)}});
}

TEST_CASE("a functional model of Keras 3 with masks as nodes, whatever separates its paths") {
  for (const char* root : {"layers/", "layers\\", "_layer_checkpoint_dependencies/"}) {
    const File file(keras3_with_mask_nodes(root));
    const Functional model = load_keras(file.path());
    CHECK(apart(model.predict({padded_input()}).front(), expected(padded_input())) < 1e-6);
    CHECK(load_keras(file.path(), {.as_keras = true}).predict({padded_input()}).front().shape() ==
          Shape{3, 2});
  }
}

TEST_CASE("a mask that is an input of its own is put where it is handed over") {
  const std::string trained = R"("trainable": true, "dtype": "float32")";
  const std::string layers =
      input3("x", "[null, null, 2]") + "," + input3("ids", "[null, null]") + "," +
      layer3("NotEqual", "there", "", R"({"args": [)" + tensor3("ids") + R"(, 0], "kwargs": {}})",
             "keras.src.ops.numpy") +
      "," +
      layer3(
          "GRU", "gru", trained + "," + gru_config,
          R"({"args": [)" + tensor3("x") + R"(], "kwargs": {"mask": )" + tensor3("there") + "}}") +
      "," +
      layer3("Dense", "head", trained + R"(, "units": 2, "activation": "softmax")",
             R"({"args": [)" + tensor3("gru") + R"(], "kwargs": {}})");
  const File file(keras_files::zip(
      functional3(layers, R"([["x", 0, 0], ["ids", 0, 0]])", R"(["head", 0, 0])"), "3.5.0",
      {{"layers/gru/cell/vars/0", gru_weights[0]},
       {"layers/gru/cell/vars/1", gru_weights[1]},
       {"layers/gru/cell/vars/2", gru_weights[2]},
       {"layers/dense/vars/0", dense_weights[0]},
       {"layers/dense/vars/1", dense_weights[1]}}));
  const Tensor lengths = tensor<float>({1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0}, {3, 5});
  for (const bool as_keras : {false, true}) {
    const Functional model = load_keras(file.path(), {.as_keras = as_keras});
    CHECK(apart(model.predict({padded_input(), lengths}).front(), expected(padded_input())) < 1e-6);
  }
}

std::string layer2(const std::string& kind, const std::string& name, const std::string& config,
                   const std::string& nodes) {
  return R"({"class_name": ")" + kind + R"(", "name": ")" + name + R"(", "config": {"name": ")" +
         name + R"(", "trainable": true)" + (config.empty() ? "" : ", " + config) +
         R"(}, "inbound_nodes": [)" + nodes + "]}";
}

TEST_CASE("initial states, as a list of tensors and by keyword, and states as outputs") {
  const std::string inputs =
      layer2("InputLayer", "x", R"("batch_input_shape": [null, null, 2])", "") + "," +
      layer2("InputLayer", "h", R"("batch_input_shape": [null, 3])", "") + "," +
      layer2("InputLayer", "c", R"("batch_input_shape": [null, 3])", "") + ",";
  const std::string options =
      R"("units": 3, "recurrent_activation": "hard_sigmoid", "return_sequences": true, "return_state": true)";
  const std::vector<hdf5_writer::Data> weights{numbers({2, 12}, 1), numbers({3, 12}, 2),
                                               numbers({12}, 3)};
  LSTM own{{.units = 3,
            .recurrent_activation = "keras2_hard_sigmoid",
            .return_sequences = true,
            .return_state = true}};
  build(own, Spec::f32({any, any, 2}));
  keras_files::set(own, weights);
  const Tensor x = padded_input(), h = random_normal({3, 3}, Seed{1}),
               c = random_normal({3, 3}, Seed{2});
  const Evaluate evaluate;
  const Tensors wanted = call(own, Tensors{x, h, c});
  for (const char* node : {R"([["x", 0, 0, {}], ["h", 0, 0, {}], ["c", 0, 0, {}]])",
                           R"([["x", 0, 0, {"initial_state": [["h", 0, 0], ["c", 0, 0]]}]])"}) {
    const std::string config = R"({"class_name": "Model", "config": {"name": "m", "layers": [)" +
                               inputs + layer2("LSTM", "lstm_1", options, node) +
                               R"(], "input_layers": [["x", 0, 0], ["h", 0, 0], ["c", 0, 0]],
                                "output_layers": [["lstm_1", 0, 0], ["lstm_1", 0, 2]]}})";
    const File file(keras_files::h5(config, "2.2.4",
                                    {{"lstm_1",
                                      {{"lstm_1/kernel:0", weights[0]},
                                       {"lstm_1/recurrent_kernel:0", weights[1]},
                                       {"lstm_1/bias:0", weights[2]}}}}));
    const Tensors y = load_keras(file.path()).predict({x, h, c});
    REQUIRE(y.size() == 2);
    CHECK(apart(y[0], wanted[0]) < 1e-6);
    CHECK(apart(y[1], wanted[2]) < 1e-6);
  }
}

TEST_CASE(
    "a nested model that is called twice shares its weights, by either way of counting calls") {
  const std::string inner =
      R"("layers": [)" + layer2("InputLayer", "in", R"("batch_input_shape": [null, 2])", "") + "," +
      layer2("Dense", "d", R"("units": 2, "activation": "tanh")", R"([["in", 0, 0, {}]])") +
      R"(], "input_layers": [["in", 0, 0]], "output_layers": [["d", 0, 0]])";
  const std::vector<hdf5_writer::Data> weights{numbers({2, 2}, 1), numbers({2}, 2)};
  Dense own{{.units = 2, .activation = "tanh"}};
  build(own, Spec::f32({any, 2}));
  keras_files::set(own, weights);
  const Tensor x = random_normal({4, 2}, Seed{3});
  const Evaluate evaluate;
  const Tensor wanted = call(own, call(own, x));
  for (const int by : {0, 1}) {
    const std::string first = std::to_string(by), second = std::to_string(by + 1);
    const std::string config =
        R"({"class_name": "Model", "config": {"name": "m", "layers": [)" +
        layer2("InputLayer", "x", R"("batch_input_shape": [null, 2])", "") + "," +
        layer2("Model", "part", inner,
               R"([["x", 0, 0, {}]], [["part", )" + first + R"(, 0, {}]])") +
        R"(], "input_layers": [["x", 0, 0]], "output_layers": [["part", )" + second + R"(, 0]]}})";
    const File file(keras_files::h5(
        config, "2.4.0", {{"part", {{"d/kernel:0", weights[0]}, {"d/bias:0", weights[1]}}}}));
    for (const bool as_keras : {false, true}) {
      const Functional model = load_keras(file.path(), {.as_keras = as_keras});
      CHECK(apart(model.predict({x}).front(), wanted) < 1e-6);
      CHECK(model.parameters().size() == 2);
    }
  }
}

}  // namespace
}  // namespace maskgrad::tests::test_load_graphs
