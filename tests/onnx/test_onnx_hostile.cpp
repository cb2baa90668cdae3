#include <doctest/doctest.h>

#include "onnx/foreign.hpp"
#include "onnx/onnx_files.hpp"

#include <maskgrad/layers/onnx/wire.hpp>

namespace maskgrad::tests::test_onnx_hostile {
namespace {

using onnx_files::bytes_of;
using onnx_files::refusal;
using onnx_files::tagger;

std::string foreign(std::size_t which) {
  return onnx::encode(foreign_files()[which].model, "test");
}
std::string with(onnx::Model model, const std::function<void(onnx::Model&)>& change) {
  change(model);
  return onnx::encode(model, "test");
}
onnx::Model gru() {
  return foreign_files()[0].model;
}

TEST_CASE("files that are cut or changed load or are refused by type") {
  for (const auto& whole : {bytes_of(tagger()), foreign(0), foreign(2), foreign(3), foreign(4)}) {
    REQUIRE(refusal(whole) == "");
    for (std::size_t size = 0; size < whole.size(); size += 41) refusal(whole.substr(0, size));
    int loaded = 0, refused = 0;
    for (std::size_t at = 0; at < whole.size(); at += 7) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
      ++(refusal(changed).empty() ? loaded : refused);
    }
    CHECK(loaded > 0);
    CHECK(refused > 0);
  }
  CHECK(refusal("") != "");
  CHECK(refusal(std::string(5000, '\xff')) != "");
}

TEST_CASE("shapes that are not those of the values") {
  for (const auto& dims : std::vector<std::vector<std::int64_t>>{
           {1, std::int64_t{1} << 40, 3}, {1, -12, 3}, {1, 12, std::int64_t{1} << 62}, {}}) {
    CHECK(refusal(with(gru(), [&](onnx::Model& m) { m.graph.initializers[0].dims = dims; })) != "");
  }
  const auto gone = with(gru(), [](onnx::Model& m) { m.graph.initializers[1].raw.resize(5); });
  CHECK(refusal(gone).find("has 5 bytes") != std::string::npos);
  const auto text = with(gru(), [](onnx::Model& m) { m.graph.initializers[1].type = 8; });
  CHECK(refusal(text).find("of the ONNX type 8") != std::string::npos);
}

TEST_CASE("graphs that go in circles, deep ones, and names that come twice") {
  const auto circle = with(
      gru(), [](onnx::Model& m) { m.graph.nodes[0].inputs[0] = m.graph.nodes.back().outputs[0]; });
  CHECK(refusal(circle).find("is none that is computed from the inputs") != std::string::npos);
  const auto deep = with(gru(), [](onnx::Model& m) {
    std::string last = "x";
    for (int i = 0; i < 19000; ++i) {
      const std::string name = "n" + std::to_string(i);
      m.graph.nodes.insert(m.graph.nodes.begin() + i, {name, "Relu", "", {last}, {name}, {}});
      last = name;
    }
  });
  refusal(deep);  // loads, or is refused by type
  CHECK(refusal(with(gru(), [](onnx::Model& m) {
          m.graph.nodes.push_back(m.graph.nodes[0]);
        })).size() < 10000);
  CHECK(refusal(with(gru(), [](onnx::Model& m) { m.graph.inputs.push_back(m.graph.inputs[0]); })) !=
        "");
}

TEST_CASE("weights in other files are not opened") {
  onnx::WireWriter place, weight, graph, model;
  place.text(1, "location");
  place.text(2, "/etc/hostname");
  weight.text(8, "W");
  weight.message(13, place);
  weight.integer(14, 1);
  graph.message(5, weight);
  model.message(7, graph);
  CHECK(refusal(model.bytes()).find("'W' is in another file, which is not opened") !=
        std::string::npos);
}

TEST_CASE("metadata that say more than the file holds") {
  const std::string bytes = bytes_of(tagger());
  const auto described = [&](const std::string& from, const std::string& to) {
    std::vector<std::string> external;
    auto model = onnx::decode(bytes, "test", external);
    auto& text = model.metadata["maskgrad_model"];
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
    return refusal(onnx::encode(model, "test"));
  };
  CHECK(described("\"units\":2", "\"units\":2000000").find("beyond the values") !=
        std::string::npos);
  CHECK(described("\"LSTM\"", "\"Lstm\"") != "");
  CHECK(described("\"units\":2", "\"units\":1") != "");
}

}  // namespace
}  // namespace maskgrad::tests::test_onnx_hostile
