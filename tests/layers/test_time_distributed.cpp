#include <doctest/doctest.h>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_time_distributed {
namespace {

using Values = std::vector<double>;

Tensor normal(const Shape& shape) {
  return random_normal(shape, Seed{5}, DType::f64);
}

const Mask& holes() {
  static const Mask mask =
      Mask::keep({{true, false, true}, {false, false, false}, {false, true, false}});
  return mask;
}

TEST_CASE("TimeDistributed of Dense is Dense, and its weights are the layer's") {
  TimeDistributed layer{Dense{{.units = 2}}};
  build(layer, Spec::f64({any, any, 4}));
  const auto p = parameters(layer);
  REQUIRE(p.size() == 2);
  CHECK(p[0].name() == "dense/kernel");
  const Tensor x = normal({3, 3, 4});
  const Tensor direct = matmul(x, p[0]) + p[1];
  CHECK(layer(x).to_vector<double>() == direct.to_vector<double>());
  const Tensor y = layer(x.with_mask(holes()));
  CHECK(y.mask().same(holes()));
  CHECK(y.to_vector<double>() == direct.with_mask(holes()).to_vector<double>());
}

TEST_CASE("TimeDistributed: a mask over words within steps is the layer's own") {
  TimeDistributed layer{GlobalAveragePooling1D{}};
  // [1, 3 steps, 2 words, 1]; the second step has no word.
  const Mask words = Mask::keep({true, true, false, false, false, true}, {1, 3, 2});
  const Tensor x = tensor<double>({1, 3, 9, 9, 9, 5}, {1, 3, 2, 1}).with_mask(words).with_grad();
  build(layer, Spec::f64({any, any, any, 1}).masked(3));
  const Tensor y = layer(x);
  CHECK(y.describe().find("f64[1, 3, 1], mask [1, 3]") == 0);
  CHECK(y.to_vector<double>(-1) == Values{2, -1, 5});
  sum(y).backward();
  CHECK(x.grad().to_vector<double>() == Values{0.5, 0.5, 0, 0, 0, 1});
}

TEST_CASE("TimeDistributed: one step, no step, no sample, and nested ones") {
  TimeDistributed layer{AnyLayer(TimeDistributed{Dense{{.units = 3}}})};
  build(layer, Spec::f64({any, any, any, 2}));
  CHECK(parameters(layer)[0].name() == "time_distributed/dense/kernel");
  CHECK(layer(normal({4, 3, 2, 2})).shape() == Shape{4, 3, 2, 3});
  CHECK(layer(zeros({4, 0, 2, 2}, DType::f64)).shape() == Shape{4, 0, 2, 3});
  CHECK(layer(zeros({0, 3, 2, 2}, DType::f64)).shape() == Shape{0, 3, 2, 3});
  const Tensor one = layer(normal({2, 1, 1, 2}).with_mask(Mask::keep({{true}, {false}})));
  CHECK(one.mask().shape() == Shape{2, 1});
  const Mask samples = Mask::keep({true, false}, {2});
  CHECK(layer(normal({2, 3, 2, 2}).with_mask(samples)).mask().same(samples));
}

TEST_CASE("TimeDistributed gives all results of its layer") {
  TimeDistributed layer{LSTM{{.units = 2, .return_sequences = true, .return_state = true}}};
  build(layer, Spec::f64({any, any, any, 3}));
  const Tensors out = call(layer, Tensors{normal({3, 3, 4, 3}).with_mask(holes())});
  REQUIRE(out.size() == 3);
  CHECK(out[0].shape() == Shape{3, 3, 4, 2});
  CHECK(out[1].shape() == Shape{3, 3, 2});
  for (const auto& y : out) CHECK(y.mask().same(holes()));
}

TEST_CASE("TimeDistributed answers for its layer") {
  CHECK(contract_of(TimeDistributed{Dense{{.units = 1}}}).full_role == MaskRole::unsupported);
  CHECK(contract_of(TimeDistributed{Masking{}}).role == MaskRole::produces);
  CHECK(contract_of(TimeDistributed{Conv1D{{.filters = 1, .kernel_size = 2}}}).role ==
        MaskRole::propagates);
  TimeDistributed conv{Conv1D{{.filters = 1, .kernel_size = 2, .name = "smooth"}},
                       {.name = "words"}};
  CHECK(throws<MaskError>(
      [&] {
        build(conv, Spec::f64({any, any, 5, 2}).masked(3));
      },
      "Conv1D 'words/smooth' does not accept a mask", "ways out: MaskedConv1D"));
  build(conv, Spec::f64({any, any, 5, 2}).masked(2));
  TimeDistributed silent{Lambda{square}};
  CHECK(throws<MaskError>(
      [&] {
        build(silent, Spec::f64({any, any, 2}).masked(2));
      },
      "TimeDistributed 'time_distributed' does not accept a mask",
      "what its function does with a mask is not declared"));
}

TEST_CASE("TimeDistributed refuses what it cannot do") {
  TimeDistributed layer{Dense{{.units = 1}}};
  CHECK(throws<ShapeError>(
      [&] {
        build(layer, Spec::f64({any, 3}));
      },
      "TimeDistributed 'time_distributed': input is "
      "f64[any, 3]; expected [batch, time, ...]"));
  TimeDistributed all{Lambda{[](const Tensor& x) { return sum(x); }}};
  CHECK(throws<ShapeError>(
      [&] {
        all(normal({2, 3, 4}));
      },
      "samples_as_steps in TimeDistributed 'time_distributed': f64[] was made "
      "of f64[6, 4]; expected one result for each of the 6 samples"));
  CHECK(throws<ShapeError>([] { steps_as_samples(zeros({3})); },
                           "steps_as_samples: got f32[3]; expected [batch, time, ...]"));
  CHECK(throws<OptionError>([] { make_layer("TimeDistributed"); }, ".layer is missing"));
}

TEST_CASE("TimeDistributed is rebuilt from its description: same names, weights, outputs") {
  TimeDistributed first{
      Sequential{Dense{{.units = 2, .activation = "tanh"}}, Dropout{{.rate = 0.1}}},
      {.name = "steps"}};
  const auto text = describe(first);
  TimeDistributed again = model_from<TimeDistributed>(text);
  CHECK(describe(again) == text);
  build(first, Spec::f64({any, any, 3}), Seed{4});
  build(again, Spec::f64({any, any, 3}), Seed{4});
  CHECK(parameters(again)[0].name() == "steps/sequential/dense/kernel");
  const Tensor x = normal({2, 3, 3});
  CHECK(predict(first, x).to_vector<double>() == predict(again, x).to_vector<double>());
}

TEST_CASE("Lambda is held to the contract that it declares") {
  const auto lambda = [](MaskRole role, Callable f) {
    return Lambda{std::move(f), {.role = role, .why = "a test"}};
  };
  const Tensor x = normal({3, 3, 2}).with_mask(holes());
  const auto ends = [](const Tensor& t) { return t.drop_mask("a test"); };
  const auto keeps = [](const Tensor& t) { return t * 2.0; };
  CHECK(lambda(MaskRole::propagates, keeps)(x).mask().same(holes()));
  CHECK_FALSE(lambda(MaskRole::consumes, ends)(x).has_mask());
  CHECK(throws<MaskError>([&] { lambda(MaskRole::propagates, ends)(x); },
                          "Lambda 'lambda': it is declared that it propagates a mask (a "
                          "test), but of f64[3, 3, 2], mask [3, 3]",
                          "its function made f64[3, 3, 2]; expected a result with a mask",
                          "Declare what it does"));
  CHECK(throws<MaskError>([&] { lambda(MaskRole::supports, ends)(x); }, "it supports a mask"));
  CHECK(throws<MaskError>([&] { lambda(MaskRole::consumes, keeps)(x); }, "it consumes a mask",
                          "expected a result without that mask"));
  CHECK(throws<MaskError>(
      [&] {
        lambda(MaskRole::produces, keeps)(normal({2, 3}));
      },
      "it produces a mask"));
  // Seen when the model is built, as every refusal.
  Sequential model{Masking{}, lambda(MaskRole::propagates, ends)};
  CHECK(throws<MaskError>([&] { model.build(Spec::f64({any, any, 2})); }, "Lambda 'lambda'"));
  Lambda undeclared{square};
  CHECK(undeclared(normal({2, 3})).shape() == Shape{2, 3});
  CHECK(throws<MaskError>([&] { undeclared(x); }, "Lambda 'lambda' does not accept a mask",
                          "is not declared", "a contract as its second argument"));
}

TEST_CASE("Lambda cannot be described, and says what can") {
  const Lambda lambda{square, {.role = MaskRole::propagates, .why = "a test"}, {.name = "square"}};
  CHECK(lambda.info.name == "square");
  const std::string text = "Lambda: a function has no JSON";
  CHECK(throws<OptionError>([&] { describe(lambda); }, text, "register_layer<T>()"));
  CHECK(throws<OptionError>([&] { describe(Sequential{lambda, Dense{{.units = 1}}}); }, text));
  CHECK(throws<OptionError>([] { make_layer("Lambda"); }, text));
}

}  // namespace
}  // namespace maskgrad::tests::test_time_distributed
