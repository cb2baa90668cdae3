#include <doctest/doctest.h>

#include "keras/keras_files.hpp"

namespace maskgrad::tests::test_load_hostile {
namespace {

using keras_files::File;
using keras_files::numbers;

const std::string layers =
    R"([{"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [null, 4, 2]}},
        {"class_name": "LSTM", "config": {"name": "lstm", "units": 2, "return_sequences": true}},
        {"class_name": "Dense", "config": {"name": "out", "units": 1}}])";
const std::string config =
    R"({"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": )" +
    layers + "}}";

std::string h5() {
  return keras_files::h5(
      config, "3.1.0",
      {{"lstm",
        {{"lstm/kernel", numbers({2, 8}, 1)},
         {"lstm/recurrent_kernel", numbers({2, 8}, 2)},
         {"lstm/bias", numbers({8}, 3)}}},
       {"out", {{"out/kernel", numbers({2, 1}, 4)}, {"out/bias", numbers({1}, 5)}}}});
}
std::string zip(const std::string& of = config) {
  return keras_files::zip(of, "3.1.0",
                          {{"layers/lstm/cell/vars/0", numbers({2, 8}, 1)},
                           {"layers/lstm/cell/vars/1", numbers({2, 8}, 2)},
                           {"layers/lstm/cell/vars/2", numbers({8}, 3)},
                           {"layers/dense/vars/0", numbers({2, 1}, 4)},
                           {"layers/dense/vars/1", numbers({1}, 5)}});
}

/// Whether it loads; what is thrown is of this library.
bool loads(const std::string& bytes) {
  const File file(bytes);
  try {
    load_keras(file.path());
    return true;
  } catch (const Error&) {
    return false;
  }
}
std::string refusal(const std::string& bytes) {
  const File file(bytes);
  return files::message_of([&] { load_keras(file.path()); });
}

TEST_CASE("files that are cut or changed load or are refused by type") {
  for (const auto& whole : {h5(), zip()}) {
    REQUIRE(loads(whole));
    for (std::size_t size = 0; size < whole.size(); size += 211) loads(whole.substr(0, size));
    int loaded = 0, refused = 0;
    for (std::size_t at = 0; at < whole.size(); at += 17) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
      ++(loads(changed) ? loaded : refused);
    }
    CHECK(loaded + refused > 100);
    CHECK(refused > 10);
  }
}

TEST_CASE("what is no model file says so") {
  CHECK(refusal("").find("neither an HDF5 file") != std::string::npos);
  CHECK(refusal("hello").find("model.save") != std::string::npos);
  CHECK(refusal("PK\x03\x04").find("no error") == std::string::npos);
  hdf5_writer::Group weights;
  weights.put("lstm/kernel", numbers({2, 2}, 1));
  CHECK(refusal(hdf5_writer::file_of(weights)).find("weights alone") != std::string::npos);
  CHECK_THROWS_AS(load_keras("/no/such/file.keras"), FileError);
  CHECK_THROWS_AS(lint("/no/such/file.keras"), FileError);
}

TEST_CASE("configurations that are deep, odd or go in circles are refused") {
  std::string deep(5000, '[');
  CHECK(refusal(zip(deep)).find("nested") != std::string::npos);
  std::string nested = R"({"class_name": "Dense", "config": {"name": "d", "units": 1}})";
  for (int i = 0; i < 100; ++i)
    nested =
        R"({"class_name": "TimeDistributed", "config": {"name": "t", "layer": )" + nested + "}}";
  CHECK(!loads(
      zip(R"({"module": "k", "class_name": "Sequential", "config": {"name": "s", "layers": [)" +
          nested + "]}}")));
  const std::string circle =
      R"({"module": "k", "class_name": "Functional", "config": {"name": "f", "layers": [
          {"class_name": "InputLayer", "name": "x", "config": {"name": "x", "batch_shape": [null, 2]}, "inbound_nodes": []},
          {"class_name": "Dense", "name": "a", "config": {"name": "a", "trainable": true, "units": 2}, "inbound_nodes": [[["b", 0, 0, {}]]]},
          {"class_name": "Dense", "name": "b", "config": {"name": "b", "trainable": true, "units": 2}, "inbound_nodes": [[["a", 0, 0, {}]]]}],
          "input_layers": [["x", 0, 0]], "output_layers": [["b", 0, 0]]}})";
  CHECK(refusal(zip(circle)).find("reads its own result") != std::string::npos);
  for (const char* odd :
       {"null", "[]", "{}", R"({"class_name": 3, "config": []})",
        R"({"class_name": "Sequential", "config": []})",
        R"({"class_name": "Sequential", "config": {"layers": [3, null, "x"]}})",
        R"({"class_name": "Functional", "config": {"layers": {}, "output_layers": 7}})",
        R"({"class_name": "Mine", "config": {"name": "own"}})"}) {
    CHECK(!loads(zip(odd)));
  }
  // Layers without options, and called without a tensor.
  for (const char* kind : {"Identity", "Attention", "Dense"}) {
    for (const char* options : {"7", R"({"name": "a", "use_scale": false, "units": 2})"}) {
      const std::string layers =
          R"({"class_name": "InputLayer", "name": "x", "config": {"name": "x", "batch_shape": [null, 2]}, "inbound_nodes": []},
             {"class_name": ")" +
          std::string(kind) + R"(", "name": "a", "inbound_nodes": [[]], "config": )" + options +
          "}";
      const std::string model =
          R"({"class_name": "Functional", "config": {"name": "f", "layers": [)" + layers +
          R"(], "input_layers": [["x", 0, 0]], "output_layers": [["a", 0, 0]]}})";
      const File file(zip(model));
      CHECK_THROWS_AS(load_keras(file.path()), FileError);
      CHECK_THROWS_AS(load_keras(file.path(), {.as_keras = true}), FileError);
      CHECK(lint(file.path()).proof.empty());
    }
  }
  // Models in models that would make 2^40 calls.
  std::string model =
      R"({"class_name": "Dense", "name": "l", "config": {"name": "l", "trainable": true, "units": 2}, "inbound_nodes": [[["x", 0, 0, {}]]]})";
  const std::string in =
      R"({"class_name": "InputLayer", "name": "x", "config": {"name": "x", "batch_shape": [null, 2]}, "inbound_nodes": []},)";
  for (int i = 0; i < 40; ++i) {
    model =
        R"({"class_name": "Model", "name": "l", "config": {"name": "l", "layers": [)" + in + model +
        R"(], "input_layers": [["x", 0, 0]], "output_layers": [["l", 1, 0]]}, "inbound_nodes": [[["x", 0, 0, {}]], [["l", 1, 0, {}]]]})";
  }
  CHECK(!loads(zip(R"({"class_name": "Model", "config": {"name": "l", "layers": [)" + in + model +
                   R"(], "input_layers": [["x", 0, 0]], "output_layers": [["l", 2, 0]]}})")));
}

TEST_CASE("weights that do not fit are named") {
  const std::string wide = config.substr(0, config.find("\"units\": 2")) + "\"units\": 7" +
                           config.substr(config.find("\"units\": 2") + 10);
  const std::string message = refusal(zip(wide));
  CHECK(message.find("LSTM 'lstm'") != std::string::npos);
  CHECK(message.find("Dense 'out'") != std::string::npos);
  std::string huge = config;
  huge.replace(huge.find("\"units\": 2"), 10, "\"units\": 900000000");
  CHECK(!loads(zip(huge)));
}

}  // namespace
}  // namespace maskgrad::tests::test_load_hostile
