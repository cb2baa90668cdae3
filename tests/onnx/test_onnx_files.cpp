#include <doctest/doctest.h>

#include "onnx/foreign.hpp"
#include "onnx/onnx_files.hpp"

namespace maskgrad::tests::test_onnx_files {
namespace {

using onnx_files::bytes_of;
using onnx_files::load;
using onnx_files::refusal;
using onnx_files::tagger;

std::string refused(const std::function<void()>& f) {
  try {
    f();
    return {};
  } catch (const OptionError& error) {
    return error.what();
  }
}

TEST_CASE("a model comes back as it was") {
  Sequential model = tagger();
  set_trainable(model.layer<Dense>(), false);
  AnyLayer again = load(bytes_of(model));
  REQUIRE(again.is<Sequential>());
  CHECK(describe(*again.as<Sequential>()) == describe(model));
  const auto before = parameters(model), after = parameters(again);
  REQUIRE(before.size() == after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    CHECK(after[i].name() == before[i].name());
    CHECK(after[i].value().str() == before[i].value().str());
    CHECK(after[i].trainable() == before[i].trainable());
  }
  CHECK(again.built_with()->inputs[0].shape() == Shape{any, any, 3});
}

TEST_CASE("f64 stays f64") {
  const Sequential wide = clone(tagger(), DType::f64);
  const auto bytes = bytes_of(wide, {.inputs = {Spec::f64({any, any, 3})}});
  AnyLayer again = load(bytes);
  CHECK(parameters(again)[0].dtype() == DType::f64);
  CHECK(parameters(again)[0].value().str() == parameters(wide)[0].value().str());
}

TEST_CASE("what cannot go out is listed whole") {
  Sequential model{MinGRU{{.units = 2, .return_sequences = true}}, Dense{{.units = 2}},
                   GRU{{.units = 2, .stateful = true}}};
  model.build(Spec::f32({any, any, 3}));
  const auto text = refused([&] { bytes_of(model); });
  CHECK(text.find("MinGRU 'min_gru'") != std::string::npos);
  CHECK(text.find("GRU 'gru': it is stateful") != std::string::npos);
  CHECK(text.find("Dense") == std::string::npos);
}

TEST_CASE("options that do not fit the model") {
  const auto model = tagger();
  CHECK(refused([&] {
          bytes_of(model, {.input_names = {"a", "b"}});
        }).find("2 names") != std::string::npos);
  CHECK(refused([&] { bytes_of(model, {.output_names = {"a/b"}}); }).find("without '/'") !=
        std::string::npos);
  const AnyLayer by_itself(Dense{{.units = 1}});
  CHECK(refused([&] { save_onnx(by_itself, "m.onnx"); }).find("give .inputs") != std::string::npos);
  CHECK_THROWS_AS(save_onnx(by_itself, "m.onnx", {.inputs = {Spec::f32({any, 3})}}), StateError);
}

TEST_CASE("what cannot be read is listed whole") {
  const auto text = refusal(onnx::encode(unread_file(), "test"));
  CHECK(text.find("Sin 'Sin': the operator has no layer here") != std::string::npos);
  CHECK(text.find("Cos 'Cos'") != std::string::npos);
  CHECK(text.find("MatMul") == std::string::npos);
}

TEST_CASE("files of other exporters") {
  for (const auto& file : foreign_files()) {
    CAPTURE(file.title);
    AnyLayer model = load(onnx::encode(file.model, "test"));
    CHECK(model.is<Functional>());
    CHECK((model.built_with()->inputs[0].mask_axes() == 2) == file.lengths);
  }
}

TEST_CASE("a file whose nodes were changed is read by its operators") {
  Sequential model{Dense{{.units = 2}}};
  model.build(Spec::f32({any, 3}), Seed{1});
  const auto bytes = bytes_of(model);
  std::vector<std::string> external;
  auto changed = onnx::decode(bytes, "test", external);
  auto& nodes = changed.graph.nodes;
  nodes.insert(nodes.end() - 1, {"more", "Relu", "", {nodes.back().inputs[0]}, {"more"}, {}});
  nodes.back().inputs[0] = "more";
  AnyLayer again = load(onnx::encode(changed, "test"));
  CHECK(again.is<Functional>());
  const Tensor x = tensor({1.0f, -2.0f, 0.5f}, {1, 3});
  CHECK(predict(again, x).str() == relu(model.predict(x)).str());
}

}  // namespace
}  // namespace maskgrad::tests::test_onnx_files
