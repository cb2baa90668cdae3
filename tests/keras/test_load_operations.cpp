#include <doctest/doctest.h>

#include "keras/keras3.hpp"
#include "keras/keras_files.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_load_operations {
namespace {

using keras_files::apart;
using keras_files::File;
using keras_files::functional3;
using keras_files::input3;
using keras_files::node3;
using keras_files::numbers;
using keras_files::operation3;
using keras_files::tensor3;

const Tensor x = random_normal({3, 6, 4}, Seed{1});

// What functions of keras.ops, one behind the other, make of x, in both ways of loading.
void check_chain(const std::vector<std::pair<std::string, std::string>>& chain,
                 const Tensor& wanted) {
  std::string layers = input3("x", "[null, 6, 4]"), last = "x";
  for (const auto& [kind, config] : chain) {
    const std::string name = "op" + std::to_string(layers.size());
    layers += "," + operation3(kind, name, config, node3(tensor3(last)));
    last = name;
  }
  const File file(keras_files::zip(
      functional3(layers, R"([["x", 0, 0]])", "[[\"" + last + "\", 0, 0]]"), "3.10.0", {}));
  for (const bool as_keras : {false, true}) {
    CAPTURE(chain[0].first);
    const Tensor y = load_keras(file.path(), {.as_keras = as_keras}).predict({x}).front();
    CHECK(y.shape() == wanted.shape());
    CHECK(apart(y, wanted) < 1e-6);
  }
}

TEST_CASE("functions that bend and reshape") {
  check_chain({{"Clip", R"("x_min": -0.5, "x_max": 0.25)"}}, clip(x, -0.5, 0.25));
  check_chain({{"LeakyRelu", R"("negative_slope": 0.3)"}}, leaky_relu(x, 0.3));
  check_chain({{"Gelu", ""}}, gelu(x, true));
  check_chain({{"Gelu", R"("approximate": false)"}}, gelu(x, false));
  check_chain({{"Reshape", R"("newshape": [-1, 12, 2])"}}, reshape(x, {3, 12, 2}));
  check_chain({{"Flip", R"("axis": 1)"}}, reverse(x, 1));
  check_chain({{"ExpandDims", R"("axis": -1)"}, {"Squeeze", R"("axis": -1)"}, {"Floor", ""}},
              floor(x));
  check_chain({{"Std", R"("axis": -1, "keepdims": true)"}}, std_deviation(x, {-1}, true));
}

std::string slice3(const std::string& from, const std::string& to) {
  return R"({"class_name": "slice", "config": {"start": )" + from + R"(, "stop": )" + to +
         R"(, "step": null}})";
}

TEST_CASE("items as Python takes them") {
  const std::string all = slice3("null", "null"), rest = R"({"class_name": "__ellipsis__"})";
  const auto item = [](const std::string& key) {
    return std::vector<std::pair<std::string, std::string>>{{"GetItem", "\"key\": [" + key + "]"}};
  };
  check_chain(item(all + "," + slice3("2", "99")), slice(x, 1, 2, 6));
  check_chain(item(all + "," + slice3("-2", "null")), slice(x, 1, 4, 6));
  check_chain(item(all + "," + slice3("5", "2")), slice(x, 1, 5, 5));
  check_chain(item(rest + ", 0"), select(x, 2, 0));
  check_chain(item(rest + "," + slice3("1", "3")), slice(x, 2, 1, 3));
  check_chain(item(all + ", null"), expand_dims(x, 1));
  check_chain(item(all + ", -1"), select(x, 1, -1));
}

TEST_CASE("stacks, and functions of TensorFlow that reshape") {
  const std::string layers = input3("x", "[null, 6, 4]") + "," +
                             operation3("Sum", "s", R"("axis": 1)", node3(tensor3("x"))) + "," +
                             operation3("Max", "m", R"("axis": 1)", node3(tensor3("x"))) + "," +
                             operation3("Stack", "y", R"("axis": 1)",
                                        node3("[" + tensor3("s") + "," + tensor3("m") + "]"));
  const File file(
      keras_files::zip(functional3(layers, R"([["x", 0, 0]])", R"([["y", 0, 0]])"), "3.10.0", {}));
  CHECK(apart(load_keras(file.path()).predict({x}).front(), stack({sum(x, {1}), max(x, {1})}, 1)) <
        1e-6);
  const std::string graph =
      R"({"class_name": "Functional", "config": {"name": "m", "layers": [
        {"class_name": "InputLayer", "name": "x", "config": {"name": "x", "batch_input_shape": [null, 6, 4]}, "inbound_nodes": []},
        {"class_name": "TFOpLambda", "name": "a", "config": {"name": "a", "function": "reshape"}, "inbound_nodes": [["x", 0, 0, {"shape": [-1, 12, 2]}]]},
        {"class_name": "TFOpLambda", "name": "b", "config": {"name": "b", "function": "nn.gelu"}, "inbound_nodes": [["a", 0, 0, {}]]},
        {"class_name": "TFOpLambda", "name": "c", "config": {"name": "c", "function": "clip_by_value"}, "inbound_nodes": [["b", 0, 0, {"clip_value_min": 0.0, "clip_value_max": 0.5}]]}],
        "input_layers": [["x", 0, 0]], "output_layers": [["c", 0, 0]]}})";
  const File old(keras_files::h5(graph, "2.8.0", {}));
  CHECK(apart(load_keras(old.path()).predict({x}).front(),
              clip(gelu(reshape(x, {3, 12, 2})), 0, 0.5)) < 1e-6);
}

TEST_CASE("masks of attention that are no masks of its inputs") {
  const std::string layers =
      input3("x", "[null, null, 4]") + "," + input3("m", "[null, null, null]") + "," +
      keras_files::layer3("MultiHeadAttention", "a", R"("num_heads": 2, "key_dim": 2)",
                          node3(tensor3("x"), "\"value\": " + tensor3("x") +
                                                  ", \"attention_mask\": " + tensor3("m")));
  const File file(keras_files::zip(
      functional3(layers, R"([["x", 0, 0], ["m", 0, 0]])", R"([["a", 0, 0]])"), "3.10.0", {}));
  for (const bool as_keras : {false, true}) {
    CHECK(throws<FileError>([&] { load_keras(file.path(), {.as_keras = as_keras}); },
                            "MultiHeadAttention 'a' is called with a tensor as attention_mask"));
  }
  CHECK(lint(file.path()).proof.empty());
}

}  // namespace
}  // namespace maskgrad::tests::test_load_operations
