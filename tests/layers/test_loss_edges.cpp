#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_loss_edges {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
using Values = std::vector<double>;
using Function = Loss (*)(const Tensor&, const Tensor&, const LossOptions&);

Tensor row(const Values& all, DType dtype) {
  return cast(tensor(all, {1, static_cast<std::int64_t>(all.size())}), dtype);
}
bool close(double got, double exact, DType dtype) {
  return std::abs(got - exact) <= std::abs(exact) * (dtype == DType::f32 ? 3e-7 : 1e-14);
}
double once(Function loss, double target, double prediction, DType dtype) {
  return loss(row({target}, dtype), row({prediction}, dtype), {}).value();
}

TEST_CASE("losses have their exact values at the ends of f32 and f64") {
  const double big = 0x1p+126, small = 0x1p-126;  // in both types
  for (const auto dtype : {DType::f32, DType::f64}) {
    const auto is = [&](Function loss, double t, double p, double exact) {
      const double got = once(loss, t, p, dtype);
      CHECK_MESSAGE(close(got, exact, dtype), "of ", t, " and ", p, ": ", got, ", expected ",
                    exact);
    };
    is(mean_absolute_error, -big / 2, big, 1.5 * big);
    is(mean_absolute_error, 0, small, small);
    is(mean_absolute_percentage_error, -big, big, 200);
    is(mean_absolute_percentage_error, 3 * big, -3 * big, 200);
    is(mean_absolute_percentage_error, 3, 3 + 0x1p-20, 100 * 0x1p-20 / 3);
    is(mean_absolute_percentage_error, 3, 3, 0);
    is(mean_squared_logarithmic_error, big, 0, std::pow(std::log1p(big) - std::log1p(1e-7), 2));
    is(mean_squared_logarithmic_error, 0x1p+100, 0x1p+100 * (1 + 0x1p-20),
       std::pow(std::log1p(0x1p-20), 2));
    is(log_cosh, -big, big / 2, 1.5 * big);
    is(log_cosh, 0, 0x1p-40, 0x1p-81);
    is(poisson, 0, big, big);
    is(hinge, 1, -big, big);
    // Squares of what has one.
    is(mean_squared_error, 0, 0x1p+63, 0x1p+126);
    is(squared_hinge, 1, -0x1p+63, 0x1p+126);
    CHECK(close(huber(row({0}, dtype), row({1.3 * 0x1p+63}, dtype), {.delta = 0x1p+64}).value(),
                std::pow(static_cast<double>(1.3F * 0x1p+63F), 2) / 2, DType::f32));
    CHECK(close(huber(row({0}, dtype), row({big}, dtype)).value(), big, dtype));
  }
}

TEST_CASE("means are exact where the sum of all is beyond f32") {
  const Tensor t = zeros({1000, 1}), p = full({1000, 1}, 3e38).with_grad();
  const double exact = static_cast<double>(3e38F);
  CHECK(close(mean_absolute_error(t, p).value(), exact, DType::f64));
  CHECK(close(mean_absolute_error(t, p, {.reduction = Reduction::sum}).value(), 1000 * exact,
              DType::f64));
  const Tensor w = full({1000}, 100);
  const Loss weighted = mean_absolute_error(t, p, {.sample_weight = w});
  CHECK(close(weighted.value(), exact, DType::f64));
  weighted.backward();
  CHECK(close(p.grad().item({0, 0}), 1e-3, DType::f32));
  CHECK(close(mean_absolute_error(reshape(t, {10, 100, 1}), reshape(p, {10, 100, 1}),
                                  {.reduction = Reduction::per_sequence})
                  .value(),
              exact, DType::f64));
}

TEST_CASE("cross entropies of logits and probabilities are exact at both ends") {
  const double eps = 1e-7;
  for (const auto dtype : {DType::f32, DType::f64}) {
    const auto binary = [&](double t, double x, bool logits) {
      return binary_crossentropy(row({t}, dtype), row({x}, dtype), {.from_logits = logits}).value();
    };
    for (const double x : {0x1p+100, 1000., 50.}) {
      CHECK(close(binary(0, x, true), x, dtype));
      CHECK(close(binary(1, -x, true), x, dtype));
      CHECK(close(binary(0.25, x, true), 0.75 * x, dtype));
      CHECK(binary(1, x, true) == doctest::Approx(std::exp(-x)).epsilon(1e-6));
    }
    CHECK(close(binary(1, 0, false), -std::log(eps), dtype));
    CHECK(close(binary(0, 1, false), -std::log(eps), dtype));
    CHECK(close(binary(1, 1, false), -std::log1p(-eps), dtype));
    CHECK(close(binary(0, 0, false), -std::log1p(-eps), dtype));
    CHECK(close(binary(0, 0x1p-20, false), -std::log1p(-0x1p-20), dtype));
    const Tensor ends = row({0, 1}, dtype).with_grad();
    const Tensor first = tensor<std::int64_t>({0}, {1}), second = first + 1;
    CHECK(close(sparse_categorical_crossentropy(first, ends, {.from_logits = false}).value(),
                -std::log(eps), dtype));
    CHECK(close(sparse_categorical_crossentropy(second, ends, {.from_logits = false}).value(),
                -std::log1p(-eps), dtype));
    CHECK(close(categorical_crossentropy(row({0, 1}, dtype), ends, {.from_logits = false}).value(),
                -std::log1p(-eps), dtype));
    (categorical_crossentropy(row({0.5, 0.5}, dtype), ends, {.from_logits = false}) +
     binary_crossentropy(row({0.5, 0.5}, dtype), ends, {.from_logits = false}))
        .backward();
    for (const double g : cast(ends.grad(), DType::f64).to_vector<double>())
      CHECK(std::isfinite(g));
  }
}

TEST_CASE("the cosine of vectors of nearly no length, or nearly too much, is exact") {
  const auto check = [](double a, double b, DType dtype) {
    const Tensor x = row({3 * a, 4 * a}, dtype).with_grad();
    const Loss loss = cosine_similarity(row({4 * b, 3 * b}, dtype), x);
    CHECK(loss.value() == doctest::Approx(-0.96).epsilon(1e-6));
    loss.backward();
    // The gradient stands at a right angle to x, of the size 0.28 / |x|.
    const double g = cast(x.grad(), DType::f64).to_vector<double>()[0] * 5 * a;
    CHECK(g == doctest::Approx(-(0.8 - 0.96 * 0.6)).epsilon(1e-5));
  };
  for (const double a : {1., 1e-10, 1e-20, 1e-30, 1e15, 1e30}) {
    check(a, 1, DType::f32);
    check(a, 1 / a, DType::f32);
  }
  for (const double a : {1e-100, 1e-200, 1e-300, 1e100, 1e200, 1e300}) {
    check(a, 1, DType::f64);
    check(a, a, DType::f64);
  }
  for (const auto dtype : {DType::f32, DType::f64}) {
    const Tensor none = row({0, 0}, dtype).with_grad();
    const Loss loss = cosine_similarity(row({1, 2}, dtype), none);
    CHECK(loss.value() == 0);
    loss.backward();
    CHECK(none.grad().item({0, 0}) == 0);
    CHECK(none.grad().item({0, 1}) == 0);
  }
}

TEST_CASE("BatchNormalization refuses statistics that are no numbers, and keeps its own") {
  for (const auto& [bad, what] : std::vector<std::pair<double, const char*>>{
           {infinity, "inf"}, {std::nan(""), "nan"}, {1e30, "the variance of feature 1"}}) {
    Sequential model{BatchNormalization{{.name = "norm"}}};
    model.build(Spec::f32({any, 3}), Seed{1});
    const Tensor good = random_normal({4, 3}, Seed{2});
    model(good);
    std::vector<std::vector<float>> before;
    for (const auto& p : model.parameters()) before.push_back(p.value().to_vector<float>());
    auto values = good.to_vector<float>();
    values[4] = static_cast<float>(bad);
    const Tensor x = tensor(values, {4, 3});
    CHECK(throws<OptionError>([&] { model(x); }, "BatchNormalization", "norm", what, "of feature 1",
                              "over 4 valid rows", "expected finite statistics"));
    std::vector<std::vector<float>> after;
    for (const auto& p : model.parameters()) after.push_back(p.value().to_vector<float>());
    CHECK(after == before);
    // What is masked is not read.
    model(x.with_mask(Mask::keep({true, false, true, true}, {4})));
  }
}

}  // namespace
}  // namespace maskgrad::tests::test_loss_edges
