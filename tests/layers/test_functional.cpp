#include <doctest/doctest.h>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_functional {
namespace {

/// Two inputs, a shared encoder, two outputs, and a model inside the model.
Functional two_sided() {
  Functional model;
  const auto text = model.input("text"), title = model.input("title");
  const auto encode =
      model.layer(Sequential(std::vector<AnyLayer>{Masking{}, GRU{{.units = 4}}}, "encode"));
  const auto a = model.call(encode, {text}), b = model.call(encode, {title});
  const auto head = model.layer(Dense{{.units = 2}});
  model.outputs({model.call(head, {a}), model.call(head, {b}), a});
  return model;
}

Tensor some(const Shape& shape, std::uint64_t seed) {
  return random_normal(shape, Seed{seed}, DType::f64);
}

std::vector<Spec> specs() {
  return {Spec::f64({any, any, 3}), Spec::f64({any, any, 3})};
}

TEST_CASE("a functional model shares layers, and takes and gives several tensors") {
  Functional model = two_sided();
  const Tensors metas = model.build(specs(), Seed{1});
  REQUIRE(metas.size() == 3);
  CHECK(metas[0].shape() == Shape{any, 2});
  REQUIRE(model.parameters().size() == 5);
  CHECK(model.parameters()[0].name() == "encode/gru/kernel");

  const Tensor x = some({2, 5, 3}, 1), y = some({2, 3, 3}, 2);
  const Tensors there = model({x, y}), back = model({y, x});
  CHECK(there[0].to_vector<double>() == back[1].to_vector<double>());
  sum(there[0] + there[1]).backward();
  for (const auto& p : model.parameters()) CHECK(p.grad().defined());

  Functional copy = model_from<Functional>(describe(model));
  copy.build(specs(), Seed{1});
  CHECK(copy({x, y})[1].to_vector<double>() == there[1].to_vector<double>());
  CHECK(model.predict({x, y})[2].to_vector<double>() == there[2].to_vector<double>());
}

TEST_CASE("a functional model is a layer of another model") {
  Functional inner("inner");
  const auto x = inner.input();
  inner.outputs({inner.add(Dense{{.units = 3}}, {inner.add(Dropout{{.rate = 0.1}}, {x})})});
  Sequential outer{Masking{}, inner, GRU{{.units = 2}}};
  outer.build(Spec::f32({any, any, 3}));
  CHECK(outer.parameters()[0].name() == "inner/dense/kernel");
  CHECK(describe(model_from(describe(outer))) == describe(outer));
}

TEST_CASE("freezing keeps weights out of training, and states are none") {
  Sequential model{Dense{{.units = 2}}, Dense{{.units = 1}}};
  model.build(Spec::f64({any, 3}));
  set_trainable(model.layer(0), false);
  SGD sgd{model.parameters(), {.learning_rate = 0.1}};
  const auto before = model.parameters()[0].value().to_vector<double>();
  mean_squared_error(zeros({4, 1}, DType::f64), model(some({4, 3}, 3))).backward();
  CHECK(!model.parameters()[0].grad().defined());
  CHECK(model.parameters()[2].grad().defined());
  sgd.step();
  CHECK(model.parameters()[0].value().to_vector<double>() == before);
  CHECK(!model.clone().parameters()[0].trainable());
  set_trainable(model, true);
  CHECK(model.parameters()[0].trainable());

  const Parameter state(zeros({2}), "norm/moving_mean", false);
  CHECK(state.is_state());
  CHECK(state.clone(DType::f64).is_state());
  CHECK(throws<OptionError>([&] { state.set_trainable(true); }, "'norm/moving_mean' is a state"));
}

TEST_CASE("what does not fit together is refused") {
  Functional model;
  const auto x = model.input("x");
  CHECK(throws<OptionError>([&] { model.input("x"); }, "two inputs are named 'x'"));
  const auto y = model.add(Dense{{.units = 2, .name = "d"}}, {x});
  CHECK(throws<OptionError>([&] { model.input("late"); }, "'late' comes after a call"));
  CHECK(throws<OptionError>([&] { model.layer(Dense{{.units = 2, .name = "d"}}); }, "'d'"));
  CHECK(throws<OptionError>([&] { model.call({9}, {x}); }, "layer 9 is none of its 1 layers"));
  CHECK(throws<OptionError>(
      [&] {
        model.add(Dense{{.units = 2}}, {{7, 0}});
      },
      "call of 'dense'", "result 0 of call 7 is no tensor of this model"));
  CHECK(throws<OptionError>([&] { model.build({Spec::f32({any, 3})}); }, "it has no outputs"));
  model.outputs({y[1]});
  CHECK(throws<OptionError>(
      [&] {
        model.build({Spec::f32({any, 3})});
      },
      "result 1 of 'd' is read, which gives 1"));
  model.outputs({y});
  CHECK(throws<ShapeError>(
      [&] {
        model.build({Spec::f32({any, 3}), Spec::f32({any, 3})});
      },
      "2 inputs; expected 1: x"));
  CHECK(throws<StateError>([&] { model.summary(); }, "has no parameters yet"));
  CHECK(throws<OptionError>(
      [] {
        make_layer("Functional", R"({"inputs": ["x"], "layers": [], "calls": [], "outputs": [0]})");
      },
      "expected pairs"));
  CHECK(throws<OptionError>([] { model_from<Functional>(describe(Dense{{.units = 1}})); },
                            "describes a Dense; expected a Functional"));
}

TEST_CASE("five levels deep, a refusal names the whole path") {
  const auto wrap = [](AnyLayer layer, std::string name) {
    return Sequential(std::vector<AnyLayer>{std::move(layer)}, std::move(name));
  };
  Sequential model{
      Masking{},
      wrap(wrap(wrap(wrap(Conv1D{{.filters = 2, .kernel_size = 3, .name = "smooth"}}, "d"), "c"),
                "b"),
           "a")};
  CHECK(throws<MaskError>(
      [&] {
        model.build(Spec::f32({any, any, 3}));
      },
      "Conv1D 'a/b/c/d/smooth' does not accept a mask", "made by Masking 'masking'"));
}

static_assert(accepts_masks<Masking, GRU, Dense>);
static_assert(!accepts_masks<Masking, Conv1D, Dense>);
static_assert(accepts_masks<Masking, GlobalAveragePooling1D, Dense>);
static_assert(accepts_masks<Embedding, MaskedConv1D, Bidirectional>);

}  // namespace
}  // namespace maskgrad::tests::test_functional
