#include <doctest/doctest.h>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_flow {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Sequential tagger() {
  Sequential model{Embedding{{.input_dim = 9, .output_dim = 4, .mask_zero = true}},
                   Bidirectional{GRU{{.units = 3}}}, Dense{{.units = 1000}}};
  model.build(Spec::ids({any, any}), Seed{1});
  return model;
}

TEST_CASE("a summary has a line a layer, its result, mask and parameters") {
  Sequential model = tagger();
  set_trainable(model.layer(2), false);
  const auto text = model.summary();
  CHECK(has(text, "layer          kind           result"));
  CHECK(has(text, "none -> [any, any]   back 0 · ahead 0          36"));
  CHECK(has(text, "[any, any] -> [any]  needs the whole sequence  162"));
  CHECK(has(text, "7,000"));
  CHECK(has(text, "7,198 parameters: 198 trained, 7,000 frozen"));
  CHECK(!has(text, "bidirectional/forward"));
}

TEST_CASE("mask_flow draws where a mask is made, passed and ended") {
  Sequential model = tagger();
  const Flow flow = model.mask_flow();
  const auto table = flow.table(), dot = flow.dot();
  CHECK(has(table, "steps read"));
  CHECK(table.find("bidirectional  ") < table.find("bidirectional/forward"));
  CHECK(has(dot, "step0 [label=\"embedding\\nEmbedding\\nproduces\""));
  CHECK(has(dot, "input0 -> step0 [label=\"i64[any, any]\"];"));
  CHECK(has(dot, "step0 -> step1 [label=\"f32[any, any, 4]\\nmask [any, any]\", penwidth=3"));
  CHECK(has(dot, "-> output [label=\"f32[any, 1000]\\nmask [any]\", penwidth=3"));
  CHECK(!has(dot, "dashed"));
}

/// A sum beside the layers, which the flow cannot see.
struct Residual {
  Dense a{{.units = 3}}, b{{.units = 3}};
  Tensor operator()(const Tensor& x) { return b(x + a(x)); }
  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    f("a", self.a);
    f("b", self.b);
  }
};

TEST_CASE("what flows through operations is dashed, shared layers count once") {
  Residual model;
  build(model, Spec::f32({any, any, 3}).masked(2));
  const auto dot = mask_flow(model, {Spec::f32({any, any, 3}).masked(2)}).dot();
  CHECK(has(dot,
            "step0 -> step1 [label=\"f32[any, any, 3]\\nmask [any, any]\", penwidth=3, "
            "color=\"#2f6fb0\", style=dashed]"));

  Functional twice;
  const auto x = twice.input();
  const auto dense = twice.layer(Dense{{.units = 3}});
  twice.outputs({twice.call(dense, {twice.call(dense, {x})})});
  twice.build({Spec::f32({any, 3})});
  CHECK(has(twice.summary(), "shared"));
  CHECK(has(twice.summary(), "12 parameters: 12 trained"));
}

TEST_CASE("weights in front of the mask are pointed out") {
  Sequential late{Dense{{.units = 3}}, Masking{}, GRU{{.units = 2}}};
  late.build(Spec::f32({any, any, 3}));
  CHECK(has(late.summary(), "Dense 'dense' stands before the mask is made"));
  CHECK(has(late.mask_flow().table(), "its weights see the padding"));
  CHECK(!has(tagger().summary(), "stands before"));
}

}  // namespace
}  // namespace maskgrad::tests::test_flow
