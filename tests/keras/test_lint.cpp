#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "keras/keras_files.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_lint {
namespace {

using keras_files::File;
using keras_files::numbers;
using keras_files::Weights;
using Names = std::vector<std::string>;

std::string sequential(const std::string& layers) {
  return R"({"class_name": "Sequential", "config": [)" + layers + "]}";
}
const std::string input = R"("batch_input_shape": [null, 6, 2])";
const std::string masking =
    R"({"class_name": "Masking", "config": {"name": "m", "mask_value": -1, )" + input + "}}";

std::string gru(const std::string& more) {
  return R"({"class_name": "GRU", "config": {"name": "g", "units": 3, "recurrent_activation": "sigmoid",
             "reset_after": true, )" +
         more + "}}";
}
Weights gru_weights() {
  return {"g",
          {{"g/kernel:0", numbers({2, 9}, 1)},
           {"g/recurrent_kernel:0", numbers({3, 9}, 2)},
           {"g/bias:0", numbers({2, 9}, 3)}}};
}

TEST_CASE("a mask that is made and read") {
  const File file(keras_files::h5(sequential(masking + "," + gru(R"("return_sequences": false)")),
                                  "2.4.0", {gru_weights()}));
  const Lint found = lint(file.path());
  CHECK(found.status() == 0);
  CHECK(found.mask_made_by == Names{"m"});
  CHECK(found.mask_read_by == Names{"g"});
  CHECK(found.mask_ends_in == Names{"g"});
  CHECK(found.says == "Mask made by Masking 'm', read by GRU 'g'. Padding reaches no result.");
  REQUIRE(found.proof.size() == 1);
  CHECK(found.proof[0].alone.value_or(1) < 1e-9);
  CHECK(found.proof[0].large.value_or(1) == 0);
  CHECK(found.proof[0].nan.value_or(1) == 0);
}

TEST_CASE("no mask, and a recurrence that takes padding for data") {
  const File file(keras_files::h5(sequential(gru(input)), "2.4.0", {gru_weights()}));
  const Lint found = lint(file.path());
  CHECK(found.status() == 1);
  CHECK(found.padding_read_as_data_by == Names{"g"});
  CHECK(found.says == "No mask is made: GRU 'g' takes padding for data.");
  CHECK(found.proof.at(0).alone.value_or(0) > 1e-3);
  CHECK(std::isinf(found.proof.at(0).nan.value_or(0)));
  CHECK(!found.what_to_do.empty());
}

TEST_CASE("a convolution that drops the mask") {
  const std::string conv =
      R"({"class_name": "Conv1D", "config": {"name": "c", "filters": 2, "kernel_size": [3], "padding": "same"}})";
  const std::string pool = R"({"class_name": "GlobalMaxPooling1D", "config": {"name": "p"}})";
  const File file(keras_files::h5(
      sequential(masking + "," + conv + "," + pool), "2.4.0",
      {{"c", {{"c/kernel:0", numbers({3, 2, 2}, 1)}, {"c/bias:0", numbers({2}, 2)}}}}));
  const Lint found = lint(file.path());
  CHECK(found.status() == 1);
  CHECK(found.mask_dropped_by == Names{"c"});
  REQUIRE(found.refuses_now.size() == 1);
  CHECK(found.refuses_now[0].layer == "c");
  CHECK(!found.output_carries_mask.at(0).second);
}

TEST_CASE("initial states that keep Keras 3 from handing over the mask") {
  const auto tensor = [](const std::string& name) {
    return R"({"class_name": "__keras_tensor__", "config": {"keras_history": [")" + name +
           R"(", 0, 0]}})";
  };
  const std::string layers =
      R"({"class_name": "InputLayer", "name": "ids", "config": {"name": "ids", "batch_shape": [null, null]}, "inbound_nodes": []},
         {"class_name": "InputLayer", "name": "h", "config": {"name": "h", "batch_shape": [null, 3]}, "inbound_nodes": []},
         {"class_name": "Embedding", "name": "e", "config": {"name": "e", "trainable": true, "input_dim": 9, "output_dim": 2, "mask_zero": true},
          "inbound_nodes": [{"args": [)" +
      tensor("ids") + R"(], "kwargs": {}}]},
         {"class_name": "GRU", "name": "g", "config": {"name": "g", "trainable": true, "units": 3, "return_sequences": true, "reset_after": true},
          "inbound_nodes": [{"args": [)" +
      tensor("e") + R"(], "kwargs": {"initial_state": [)" + tensor("h") + "]}}]}";
  const std::string config =
      R"({"module": "keras", "class_name": "Functional", "config": {"name": "f", "layers": [)" +
      layers +
      R"(], "input_layers": [["ids", 0, 0], ["h", 0, 0]], "output_layers": [["g", 0, 0]]}})";
  auto weights = gru_weights();
  const Weights embedding{"e", {{"e/embeddings", numbers({9, 2}, 5)}}};
  {
    const Lint found = lint(File(keras_files::h5(config, "3.4.1", {embedding, weights})).path());
    CHECK(found.mask_ignored_by == Names{"g"});
    CHECK(found.output_carries_mask.at(0).second);
    CHECK(found.status() == 1);
  }
  const Lint found = lint(File(keras_files::h5(config, "2.15.0", {embedding, weights})).path());
  CHECK(found.mask_read_by == Names{"g"});
  CHECK(found.status() == 0);
}

TEST_CASE("a custom class makes it impossible to say, until it is told") {
  const std::string own = R"({"class_name": "MyLayer", "config": {"name": "own"}})";
  const File file(keras_files::h5(sequential(masking + "," + own), "2.4.0", {}));
  const Lint found = lint(file.path());
  CHECK(found.status() == 3);
  CHECK(found.mask_unknown_in == Names{"own"});
  const auto each = [](const KerasCustom& custom) {
    CHECK(custom.class_name == "MyLayer");
    return AnyLayer(Activation{{.activation = "tanh"}});
  };
  CHECK(lint(file.path(), {.custom = {{"MyLayer", each}}}).status() == 0);
}

TEST_CASE("a custom class is told in a word") {
  const std::string own = R"({"class_name": "MyLayer", "config": {"name": "own"}})";
  const File file(keras_files::h5(sequential(masking + "," + own), "2.4.0", {}));
  const auto told = [&](std::string_view rule) {
    return lint(file.path(), {.custom = {{"MyLayer", keras_stand_in(rule)}}});
  };
  CHECK(told("Activation{\"activation\": \"tanh\"}").status() == 0);
  CHECK(told("GlobalSumPooling1D").proof.size() == 1);
  CHECK(told("propagates").status() == 0);
  CHECK(told("propagates").proof.size() == 1);
  for (const auto* rule : {"supports", "consumes", "unsupported"}) {
    const Lint found = told(rule);
    CHECK(found.status() == 1);
    CHECK(found.mask_dropped_by == Names{"own"});
    CHECK(found.proof.empty());
    CHECK(found.padding_reaches_result_is.find("only what it does with masks was told") !=
          std::string::npos);
  }
  CHECK(throws<OptionError>([] { keras_stand_in("sums"); }, "propagates, supports, consumes"));
  CHECK(throws<OptionError>([] { keras_stand_in("Dense{\"unit\": 3}"); }, "unit"));
}

TEST_CASE("the ways to show it") {
  const File file(keras_files::h5(sequential(masking + "," + gru(R"("return_sequences": true)")),
                                  "2.4.0", {gru_weights()}),
                  "a<b.h5");
  const Lint found = lint(file.path());
  CHECK(found.table().find("reads, passes") != std::string::npos);
  const auto json = nlohmann::json::parse(found.json());
  CHECK(json["keras_3_15"][1]["does"] == "reads, passes");
  CHECK(json["output_carries_mask"]["g"] == true);
  CHECK(json["inputs"]["input"] == nlohmann::json::array({nullptr, 6, 2}));
  CHECK(found.dot().starts_with("digraph"));
  const std::string page = found.html();
  CHECK(page.find("a&lt;b.h5") != std::string::npos);
  CHECK(page.find("<svg") != std::string::npos);
  // Nothing is fetched: the only address names the picture's language.
  std::size_t addresses = 0;
  for (std::size_t at = page.find("://"); at != std::string::npos; at = page.find("://", at + 1))
    ++addresses;
  CHECK(addresses == 1);
}

TEST_CASE("inputs with unlike numbers of steps, bound by what reads them") {
  const auto input2 = [](const std::string& name, int steps) {
    return R"({"class_name": "InputLayer", "name": ")" + name + R"(", "config": {"name": ")" +
           name + R"(", "batch_input_shape": [null, )" + std::to_string(steps) +
           R"(, 2]}, "inbound_nodes": []})";
  };
  const auto layer2 = [](const std::string& kind, const std::string& name,
                         const std::string& config, const std::string& nodes) {
    return R"(,{"class_name": ")" + kind + R"(", "name": ")" + name + R"(", "config": {"name": ")" +
           name + "\"" + config + R"(}, "inbound_nodes": [)" + nodes + "]}";
  };
  const std::string config =
      R"({"class_name": "Functional", "config": {"name": "m", "layers": [)" + input2("a", 1) + "," +
      input2("b", 7) + layer2("Flatten", "f", "", R"([["a", 0, 0, {}]])") +
      layer2("Flatten", "h", "", R"([["b", 0, 0, {}]])") +
      layer2("Concatenate", "c", R"(, "axis": -1)", R"([["f", 0, 0, {}], ["h", 0, 0, {}]])") +
      layer2("Dense", "d", R"(, "units": 1)", R"([["c", 0, 0, {}]])") +
      R"(], "input_layers": [["a", 0, 0], ["b", 0, 0]], "output_layers": [["d", 0, 0]]}})";
  const File file(keras_files::h5(
      config, "2.8.0",
      {{"d", {{"d/kernel:0", numbers({16, 1}, 1)}, {"d/bias:0", numbers({1}, 2)}}}}));
  const Lint found = lint(file.path());
  REQUIRE(found.proof.size() == 1);
  CHECK(found.proof[0].large.value_or(0) > 1e20);
  CHECK(found.status() == 1);
}

TEST_CASE("padding that is no zero moves what zeros leave alone") {
  const std::string own = R"({"class_name": "Sum", "config": {"name": "s", )" + input + "}}";
  const File file(keras_files::h5(sequential(own), "2.4.0", {}));
  const Lint found = lint(file.path(), {.custom = {{"Sum", keras_stand_in("GlobalSumPooling1D")}}});
  CHECK(found.proof.at(0).alone.value_or(1) < 1e-9);
  CHECK(found.status() == 1);
}

TEST_CASE("names that are no names for a terminal or a page") {
  const std::string odd = R"(a\n\u001b[31m</table>\"\u0007)";
  const std::string layer = R"({"class_name": "GRU", "config": {"name": ")" + odd +
                            std::string(9000, 'x') + R"(", "units": 3, "reset_after": true, )" +
                            input + "}}";
  const Lint found = lint(File(keras_files::h5(sequential(layer), "2.4\x1b", {})).path());
  for (const std::string& shown : {found.table(), found.html(), found.dot()}) {
    CHECK(shown.find('\x1b') == std::string::npos);
    CHECK(shown.find('\x07') == std::string::npos);
    CHECK(shown.find(std::string(4000, 'x')) == std::string::npos);
  }
  CHECK(found.html().find("[31m</table>") == std::string::npos);
  CHECK(
      nlohmann::json::parse(found.json())["keras_3_15"][0]["layer"].get<std::string>().starts_with(
          "a\n\x1b[31m"));
}

}  // namespace
}  // namespace maskgrad::tests::test_lint
