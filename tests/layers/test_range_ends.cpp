#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <maskgrad/maskgrad.hpp>

#include "layers/metric_values.hpp"

// Where squares, sums or lengths on the way are beyond f64, or come to 0, and what they are for is
// not.

namespace maskgrad::tests::test_range_ends {
namespace {

using Values = std::vector<double>;

constexpr double most = std::numeric_limits<double>::max();

/// The same numbers, times a power of 2.
Tensor times(const Values& values, int exponent) {
  Values all = values;
  for (double& v : all) v = std::ldexp(v, exponent);
  return column(all);
}
Tensor row_of(const Values& values, DType dtype) {
  return cast(tensor(values, {1, static_cast<std::int64_t>(values.size())}), dtype);
}

const Values truth{1, 2, -3, 0.5, 4, 2.25}, prediction{1.5, 2, -2, 0.25, 5, 1};

}  // namespace

TEST_SUITE("range ends") {
  TEST_CASE("root mean squared error and R2 do not overflow, in any parts") {
    const double rmse = once(RootMeanSquaredError(), times(truth, 0), times(prediction, 0));
    const double r2 = once(R2Score(), times(truth, 0), times(prediction, 0));
    CHECK(std::isfinite(rmse));
    for (const int exponent : {1021, 1000, 520, 505, 0, -505, -520, -700, -1000}) {
      CAPTURE(exponent);
      const Tensor t = times(truth, exponent), p = times(prediction, exponent);
      CHECK(once(RootMeanSquaredError(), t, p) == about(std::ldexp(rmse, exponent)));
      CHECK(once(R2Score(), t, p) == about(r2));
      CHECK(once(R2Score{{.class_aggregation = "variance_weighted_average"}}, t, p) == about(r2));
      RootMeanSquaredError error, more;
      R2Score score, further;
      error.update(slice(t, 0, 0, 2), slice(p, 0, 0, 2));
      score.update(slice(t, 0, 0, 2), slice(p, 0, 0, 2));
      more.update(slice(t, 0, 2), slice(p, 0, 2));
      further.update(slice(t, 0, 2), slice(p, 0, 2));
      error.merge(more);
      score.merge(further);
      RootMeanSquaredError again;
      again.set_counted(error.counted());
      R2Score again_score;
      again_score.set_counted(score.counted());
      CHECK(again.value() == about(std::ldexp(rmse, exponent)));
      CHECK(again_score.value() == about(r2));
    }
    R2Score hostile;
    for (const double exponent : {1e300, 1.0, -2400.0, nan}) {
      CHECK_THROWS_AS(hostile.set_counted({1, 2, 0, 1, exponent, 1, 0}), OptionError);
      CHECK_THROWS_AS(hostile.set_counted({1, 2, 0, 1, 0, 1, exponent}), OptionError);
      CHECK_THROWS_AS(RootMeanSquaredError().set_counted({1, 2, exponent}), OptionError);
    }
    // Features of sizes far apart, errors far from what the target varies by, opposite ends.
    const Tensor t = concatenate({times(truth, 900), times(truth, -900)}, 1);
    const Tensor p = concatenate({times(prediction, 900), times(prediction, -900)}, 1);
    CHECK(once(R2Score(), t, p) == about(r2));
    CHECK(once(R2Score(), times({1, 2}, -600), times({1, 2}, -200)) ==
          about(-std::ldexp(10., 800)));
    CHECK(once(RootMeanSquaredError(), column({most, most}), column({most / 2, most / 2})) ==
          about(most / 2));
    CHECK(once(RootMeanSquaredError(), column({0, 0}), column({0, 3e-200})) ==
          about(3e-200 / std::sqrt(2)));
    CHECK(once(RootMeanSquaredError(), column({1e200, 1}), column({1e200, 1})) == 0);
    RootMeanSquaredError mixed;
    mixed.update(column({1e-200}), column({0}));
    mixed.update(column({0, 0}), column({3, 0}));
    CHECK(mixed.value() == about(std::sqrt(3)));
    mixed.update(column({0}), column({4e200}));
    CHECK(mixed.value() == about(2e200));
    constexpr double inf = std::numeric_limits<double>::infinity();
    CHECK(once(RootMeanSquaredError(), column({0}), column({inf})) == inf);
    CHECK(std::isnan(once(RootMeanSquaredError(), column({0, 1}), column({nan, 1e300}))));
  }

  TEST_CASE("means whose sum is beyond f64") {
    const Tensor x = column({most, most / 2, most, most / 2});
    const double exact = most / 4 * 3;
    CHECK(mean(x).item() == about(exact));
    CHECK(mean(x, 0).item({0}) == about(exact));
    CHECK(sum(column({most, most, -most, -most})).item() == 0);
    CHECK(mean_absolute_error(0 * x, x).value() == about(exact));
    const Tensor weights = tensor({1., 2., 1., 2.}, {4});
    CHECK(mean_absolute_error(0 * x, x, {.sample_weight = weights}).value() == about(most / 3 * 2));
    const Tensor sequences = reshape(x, {2, 2, 1});
    CHECK(mean_absolute_error(0 * sequences, sequences, {.reduction = Reduction::per_sequence})
              .value() == about(exact));
    CHECK(GlobalAveragePooling1D{}(reshape(x, {1, 4, 1})).item() == about(exact));
    CHECK(AveragePooling1D{{.pool_size = 4}}(reshape(x, {1, 4, 1})).item() == about(exact));
    for (const auto dtype : {DType::f32, DType::f64}) {
      const double top = dtype == DType::f32 ? 3e38 : most, least = 2e-45;
      const Tensor steps = cast(tensor({top, top, least, 1.}, {1, 4, 1}), dtype);
      const Tensor pooled = AveragePooling1D{{.pool_size = 2, .padding = "same"}}(steps);
      CHECK(pooled.item({0, 0, 0}) == doctest::Approx(top).epsilon(1e-6));
      CHECK(pooled.item({0, 1, 0}) == 0.5);
      const Tensor ids = tensor<std::int64_t>({0, 0, 1, 2}, {1, 4});
      const Tensor means = segment_mean(steps, ids, 3);
      CHECK(means.item({0, 0, 0}) == doctest::Approx(top).epsilon(1e-6));
      CHECK(means.item({0, 1, 0}) == steps.item({0, 2, 0}));
      CHECK(means.item({0, 2, 0}) == 1);
    }
    CHECK(once(MeanAbsoluteError(), 0 * x, x) == about(exact));
    CHECK(once(MeanAbsoluteError(), 0 * x, x, weights) == about(most / 3 * 2));
    CHECK(once(MeanSquaredError(), column({0, 0, 0}), column({1.2e154, 1.2e154, 1.2e154})) ==
          about(1.44e308));
    Mean of_numbers, of_values;
    for (int i = 0; i < 3; ++i) of_numbers.update(most, 7);
    of_numbers.update(-most, 7);
    of_values.update(x);
    of_values.update(x);
    CHECK(of_numbers.value() == about(most / 2));
    CHECK(of_values.value() == about(exact));
    Mean again;
    again.set_counted(of_values.counted());
    CHECK(again.value() == about(exact));
    constexpr double inf = std::numeric_limits<double>::infinity();
    CHECK(mean(column({inf, most})).item() == inf);
    CHECK(std::isnan(mean(column({inf, -inf})).item()));
  }

  TEST_CASE("variances, their roots and what is standardized, with gradients") {
    const auto root = [](const Tensor& x) { return std_deviation(x); };
    Tensor near = times(truth, 0).with_grad();
    Tensor y = root(near);
    y.backward();
    const double deviation = y.item();
    const Values slopes = near.grad().to_vector<double>();
    for (const int exponent : {1021, 700, 520, -520, -700, -1040}) {
      CAPTURE(exponent);
      const Tensor x = times(truth, exponent).with_grad();
      const Tensor at = root(x);
      at.backward();
      const double accuracy = exponent < -1000 ? 1e-8 : 1e-12;  // few digits are left there
      CHECK(at.item() == doctest::Approx(std::ldexp(deviation, exponent)).epsilon(accuracy));
      const Values got = x.grad().to_vector<double>();
      for (std::size_t i = 0; i < got.size(); ++i) {
        CHECK(got[i] == doctest::Approx(slopes[i]).epsilon(accuracy));
      }
      if (exponent < 0) continue;
      const Tensor here = standardize(x), there = standardize(times(truth, 40));
      for (std::int64_t i = 0; i < 6; ++i) {
        CHECK(here.item({i, 0}) == about(there.item({i, 0})));
      }
      const Tensor line = reshape(x, {1, 6});
      const Tensor normal = layer_normalize(line, 1e-7), usual = reshape(there, {1, 6});
      for (std::int64_t i = 0; i < 6; ++i) {
        CHECK(normal.item({0, i}) == about(usual.item({0, i})));
      }
    }
    CHECK(variance(column({1e-170, 3e-170})).item() == 0);  // 1e-340 is no number
    CHECK(variance(column({5e153, 2.5e154})).item() == about(1e308));
    CHECK(std_deviation(column({3e-170, 3e-170})).item() == 0);
    CHECK(std_deviation(column({most, most})).item() == 0);
    CHECK(std_deviation(column({most, -most})).item() == about(most));
  }

  TEST_CASE("directions of vectors of nearly no and of the greatest length") {
    const Values a{3, 0, 4}, b{0, 5, 12};
    const double exact = 48. / 65;
    for (const auto dtype : {DType::f32, DType::f64}) {
      const int low = dtype == DType::f32 ? -146 : -1070, high = dtype == DType::f32 ? 123 : 1019;
      const double accuracy = dtype == DType::f32 ? 1e-6 : 1e-12;
      for (const int exponent : {low, low + 20, low / 2, 0, high / 2, high}) {
        CAPTURE(exponent);
        const Tensor x = cast(reshape(times(a, exponent), {1, 3}), dtype);
        const Tensor z = cast(reshape(times(b, exponent), {1, 3}), dtype);
        for (const Tensor& other : {z, row_of(b, dtype)}) {
          CHECK(cosine_similarity(x, other).value() == doctest::Approx(-exact).epsilon(accuracy));
        }
        const double least = std::numeric_limits<double>::denorm_min();
        const Tensor unit = unit_normalize(x, least);
        CHECK(unit.item({0, 0}) == doctest::Approx(0.6).epsilon(accuracy));
        CHECK(unit.item({0, 2}) == doctest::Approx(0.8).epsilon(accuracy));
      }
      // What is shorter than `least` is divided by that, as before.
      CHECK(unit_normalize(row_of({3e-14, 4e-14}, dtype), 1e-12).item({0, 0}) ==
            doctest::Approx(0.03).epsilon(1e-6));
    }
    CHECK(unit_normalize(row_of({3e160, 4e160}, DType::f64), 1e170).item({0, 0}) == about(3e-10));
  }
}

}  // namespace maskgrad::tests::test_range_ends
