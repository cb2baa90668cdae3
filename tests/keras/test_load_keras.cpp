#include <doctest/doctest.h>

#include "keras/keras_files.hpp"

namespace maskgrad::tests::test_load_keras {
namespace {

using keras_files::apart;
using keras_files::File;
using keras_files::numbers;
using keras_files::Weights;

Tensor padded_input() {
  Tensor x = random_normal({3, 5, 2}, Seed{7});
  return x.with_mask(Mask::from_lengths({5, 2, 3})).drop_mask("zeros as padding");
}
Tensor masked_input() {
  return padded_input().with_mask(Mask::from_lengths({5, 2, 3}));
}

const std::vector<hdf5_writer::Data> gru_weights{numbers({2, 9}, 1), numbers({3, 9}, 2),
                                                 numbers({2, 9}, 3)};
const std::vector<hdf5_writer::Data> dense_weights{numbers({3, 2}, 4), numbers({2}, 5)};

/// Masking, GRU and Dense with these weights.
Tensor expected(const Tensor& x) {
  Sequential model{Masking{}, GRU{{.units = 3}}, Dense{{.units = 2, .activation = "softmax"}}};
  model.build(Spec::f32({any, any, 2}), Seed{1});
  auto all = gru_weights;
  all.insert(all.end(), dense_weights.begin(), dense_weights.end());
  keras_files::set(model, all);
  return model.predict(x);
}

const std::string gru_config =
    R"("units": 3, "activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": true,
       "return_sequences": false, "reset_after": true, "implementation": 2)";

std::vector<Weights> h5_weights() {
  return {{"masking_7", {}},
          {"gru_4",
           {{"gru_4/gru_cell_9/kernel:0", gru_weights[0]},
            {"gru_4/gru_cell_9/recurrent_kernel:0", gru_weights[1]},
            {"gru_4/gru_cell_9/bias:0", gru_weights[2]}}},
          {"out", {{"out_1/kernel:0", dense_weights[0]}, {"out_1/bias:0", dense_weights[1]}}}};
}

std::string sequential_layers() {
  return R"([{"class_name": "Masking", "config": {"name": "masking_7", "batch_input_shape": [null, 5, 2],
              "mask_value": 0.0}},
             {"class_name": "GRU", "config": {"name": "gru_4", )" +
         gru_config + R"(}},
             {"class_name": "Dense", "config": {"name": "out", "units": 2, "activation": "softmax"}}])";
}

TEST_CASE("a Sequential in HDF5, as a list and as an object") {
  for (const bool list : {true, false}) {
    const std::string config =
        list ? sequential_layers() : R"({"name": "s", "layers": )" + sequential_layers() + "}";
    const File file(keras_files::h5(R"({"class_name": "Sequential", "config": )" + config + "}",
                                    "2.1.6-tf", h5_weights()),
                    "m.h5");
    const Functional model = load_keras(file.path());
    CHECK(apart(model.predict({padded_input()}).front(), expected(padded_input())) < 1e-6);
    CHECK(model.parameters()[0].name() == "gru_4/kernel");
    const Functional as_keras = load_keras(file.path(), {.as_keras = true});
    CHECK(apart(as_keras.predict({padded_input()}).front(), expected(padded_input())) < 1e-6);
    // Any number of steps.
    CHECK(model.predict({random_normal({1, 9, 2}, Seed{1})}).front().shape() == Shape{1, 2});
  }
}

std::string tensor3(const std::string& layer, int node = 0, int result = 0) {
  return R"({"class_name": "__keras_tensor__", "config": {"shape": [null, 5, 2], "dtype": "float32",
             "keras_history": [")" +
         layer + "\", " + std::to_string(node) + ", " + std::to_string(result) + "]}}";
}
std::string layer3(const std::string& kind, const std::string& name, const std::string& config,
                   const std::string& nodes, const std::string& module = "keras.layers") {
  return R"({"module": ")" + module + R"(", "class_name": ")" + kind +
         R"(", "config": {"name": ")" + name + "\"" + (config.empty() ? "" : ", " + config) +
         R"(}, "registered_name": null, "name": ")" + name + R"(", "inbound_nodes": [)" + nodes +
         "]}";
}
std::string functional3(const std::string& layers, const std::string& inputs,
                        const std::string& outputs) {
  return R"({"module": "keras.src.models.functional", "class_name": "Functional", "config": {"name": "f",
             "trainable": true, "layers": [)" +
         layers + R"(], "input_layers": )" + inputs + R"(, "output_layers": )" + outputs +
         R"(}, "registered_name": "Functional"})";
}
std::string input3(const std::string& name, const std::string& shape) {
  return layer3("InputLayer", name, R"("batch_shape": )" + shape + R"(, "dtype": "float32")", "");
}

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

TEST_CASE("layers of CuDNN have their own order and two biases") {
  // Keras's weights, and the same as CuDNN has them: each gate's matrix as [units, in] in the same
  // place, recurrent ones transposed.
  const std::int64_t in = 2, units = 3, gates = 4;
  const auto kernel = numbers({in, gates * units}, 1),
             recurrent = numbers({units, gates * units}, 2);
  auto cudnn = kernel, cudnn_recurrent = recurrent;
  for (std::int64_t g = 0; g < gates; ++g) {
    for (std::int64_t u = 0; u < units; ++u) {
      for (std::int64_t i = 0; i < in; ++i) {
        const auto place = u * in + i;
        cudnn.values[static_cast<std::size_t>(place / units * gates * units + g * units +
                                              place % units)] =
            kernel.values[static_cast<std::size_t>(i * gates * units + g * units + u)];
      }
      for (std::int64_t v = 0; v < units; ++v) {
        cudnn_recurrent.values[static_cast<std::size_t>(u * gates * units + g * units + v)] =
            recurrent.values[static_cast<std::size_t>(v * gates * units + g * units + u)];
      }
    }
  }
  auto biases = numbers({2 * gates * units}, 3), sum = numbers({gates * units}, 4);
  for (std::size_t i = 0; i < sum.values.size(); ++i)
    sum.values[i] = biases.values[i] + biases.values[i + sum.values.size()];
  LSTM own{{.units = units}};
  build(own, Spec::f32({any, any, in}));
  keras_files::set(own, {kernel, recurrent, sum});
  const std::string config = R"({"class_name": "Sequential", "config": [{"class_name": "CuDNNLSTM",
      "config": {"name": "c", "batch_input_shape": [null, null, 2], "units": 3, "return_sequences": false}}]})";
  const File file(keras_files::h5(config, "2.1.5",
                                  {{"c",
                                    {{"c/kernel:0", cudnn},
                                     {"c/recurrent_kernel:0", cudnn_recurrent},
                                     {"c/bias:0", biases}}}}));
  const Evaluate evaluate;
  CHECK(apart(load_keras(file.path()).predict({padded_input()}).front(),
              call(own, padded_input())) < 1e-6);
}

TEST_CASE("a GRU without reset_after is told by its bias") {
  const std::string config = R"({"class_name": "Sequential", "config": [{"class_name": "GRU",
      "config": {"name": "g", "batch_input_shape": [null, null, 2], "units": 3, "recurrent_activation": "sigmoid"}}]})";
  for (const bool after : {false, true}) {
    const std::vector<hdf5_writer::Data> weights{numbers({2, 9}, 1), numbers({3, 9}, 2),
                                                 after ? numbers({2, 9}, 3) : numbers({9}, 3)};
    GRU own{{.units = 3, .reset_after = after}};
    build(own, Spec::f32({any, any, 2}));
    keras_files::set(own, weights);
    const File file(keras_files::h5(config, "2.0.8",
                                    {{"g",
                                      {{"g/kernel:0", weights[0]},
                                       {"g/recurrent_kernel:0", weights[1]},
                                       {"g/bias:0", weights[2]}}}}));
    const Evaluate evaluate;
    CHECK(apart(load_keras(file.path()).predict({padded_input()}).front(),
                call(own, padded_input())) < 1e-6);
  }
}

TEST_CASE("under .as_keras the padding is computed as Keras does") {
  // Masking, GRU with all outputs, Conv1D: Keras repeats the last output at masked steps, drops the
  // mask, and convolves what is there.
  const std::string config =
      R"({"class_name": "Sequential", "config": [
        {"class_name": "Masking", "config": {"name": "m", "batch_input_shape": [null, 5, 2], "mask_value": 0.0}},
        {"class_name": "GRU", "config": {"name": "g", "units": 3, "recurrent_activation": "sigmoid",
         "return_sequences": true, "reset_after": true}},
        {"class_name": "Conv1D", "config": {"name": "c", "filters": 2, "kernel_size": [2], "strides": [1],
         "padding": "same", "activation": "linear"}}]})";
  const auto kernel = numbers({2, 3, 2}, 5), bias = numbers({2}, 6);
  const File file(keras_files::h5(config, "2.4.0",
                                  {{"g",
                                    {{"g/kernel:0", gru_weights[0]},
                                     {"g/recurrent_kernel:0", gru_weights[1]},
                                     {"g/bias:0", gru_weights[2]}}},
                                   {"c", {{"c/kernel:0", kernel}, {"c/bias:0", bias}}}}));
  GRU gru{{.units = 3, .return_sequences = true}};
  build(gru, Spec::f32({any, any, 2}));
  keras_files::set(gru, gru_weights);
  Conv1D conv{{.filters = 2, .kernel_size = 2, .padding = "same"}};
  build(conv, Spec::f32({any, any, 3}));
  keras_files::set(conv, {kernel, bias});
  const Evaluate evaluate;
  Tensor h = call(gru, masked_input()).drop_mask("to be repeated");
  auto values = h.to_vector<float>();
  const std::vector<std::int64_t> lengths{5, 2, 3};
  for (std::size_t b = 0; b < 3; ++b) {
    for (auto t = static_cast<std::size_t>(lengths[b]); t < 5; ++t) {
      for (std::size_t u = 0; u < 3; ++u)
        values[(b * 5 + t) * 3 + u] = values[(b * 5 + t - 1) * 3 + u];
    }
  }
  const Tensor wanted = call(conv, tensor(values, {3, 5, 3}));
  CHECK(apart(load_keras(file.path(), {.as_keras = true}).predict({padded_input()}).front(),
              wanted) < 1e-6);
  // By itself each sequence is convolved as if it were alone.
  const Functional model = load_keras(file.path());
  const Tensor y = model.predict({masked_input()}).front();
  const Tensor alone = model.predict({slice(slice(padded_input(), 0, 1, 2), 1, 0, 2)}).front();
  const Tensor own = slice(slice(y, 0, 1, 2), 1, 0, 2).drop_mask("all are valid");
  CHECK(apart(own, alone.has_mask() ? alone.drop_mask("all are valid") : alone) < 1e-6);
}

TEST_CASE("a layer that refuses masks takes one that hides nothing, and no other") {
  const std::string text =
      R"({"class_name": "Sequential", "config": [
        {"class_name": "Embedding", "config": {"name": "e", "batch_input_shape": [null, 4],
         "input_dim": 6, "output_dim": 2, "mask_zero": true}},
        {"class_name": "Flatten", "config": {"name": "f"}},
        {"class_name": "Dense", "config": {"name": "d", "units": 1}}]})";
  const auto table = numbers({6, 2}, 1), kernel = numbers({8, 1}, 2), bias = numbers({1}, 3);
  const File file(keras_files::h5(
      text, "2.4.0",
      {{"e", {{"e/embeddings:0", table}}}, {"d", {{"d/kernel:0", kernel}, {"d/bias:0", bias}}}}));
  const Functional model = load_keras(file.path());
  const Functional theirs = load_keras(file.path(), {.as_keras = true});
  const Tensor full = tensor<std::int64_t>({1, 2, 3, 4, 5, 4, 3, 2}, {2, 4});
  CHECK(apart(model.predict({full}).front(), theirs.predict({full}).front()) < 1e-6);
  const Tensor padded = tensor<std::int64_t>({1, 2, 0, 0, 5, 4, 3, 2}, {2, 4});
  CHECK_THROWS_AS(model.predict({padded}), MaskError);
  CHECK(theirs.predict({padded}).front().shape() == Shape{2, 1});
  CHECK(lint(file.path()).status() == 1);
}

TEST_CASE("all that cannot be loaded is listed at once, and what is told is loaded") {
  const std::string config =
      R"({"class_name": "Sequential", "config": {"name": "s", "layers": [
        {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [null, 5, 2]}},
        {"class_name": "TCN", "config": {"name": "tcn", "nb_filters": 3}},
        {"class_name": "Lambda", "config": {"name": "total", "function": {"class_name": "__lambda__", "config": {"code": "4wEAAA"}}}},
        {"class_name": "Conv2D", "config": {"name": "picture", "filters": 3}}]}})";
  const File file(keras_files::h5(config, "3.1.0", {}));
  const std::string message = files::message_of([&] { load_keras(file.path()); });
  for (const char* part :
       {"TCN 'tcn'", "Lambda 'total'", "never run", "Conv2D 'picture'", ".custom"}) {
    CHECK(message.find(part) != std::string::npos);
  }
  const auto same = [](const KerasCustom&) { return AnyLayer(Activation{{.activation = "tanh"}}); };
  const Functional model =
      load_keras(file.path(), {.custom = {{"TCN", same}, {"total", same}, {"picture", same}}});
  const Tensor x = padded_input();
  CHECK(apart(model.predict({x}).front(), tanh(tanh(tanh(x)))) < 1e-6);
}

}  // namespace
}  // namespace maskgrad::tests::test_load_keras
