#include <doctest/doctest.h>

#include "keras/masked_gru.hpp"

namespace maskgrad::tests::test_load_keras {
namespace {

using keras_files::apart;
using keras_files::dense_weights;
using keras_files::expected;
using keras_files::File;
using keras_files::gru_config;
using keras_files::gru_weights;
using keras_files::masked_input;
using keras_files::numbers;
using keras_files::padded_input;
using keras_files::Weights;

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
