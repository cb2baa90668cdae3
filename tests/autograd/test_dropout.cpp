#include <cmath>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/noise/dropout.hpp>

#include "counted.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_dropout {
namespace {

double share_of_zeros(const Tensor& y) {
  const auto values = y.to_vector<double>();
  return static_cast<double>(std::ranges::count(values, 0.0)) / static_cast<double>(values.size());
}

}  // namespace

TEST_SUITE("dropout") {
  TEST_CASE("a value is 0 or divided by what is kept, at the rate") {
    const Tensor x = full({50, 20, 10}, 3, DType::f64);
    const Tensor y = dropout(x, 0.25, {7});
    for (const double v : y.to_vector<double>()) CHECK((v == 0 || v == 3 / 0.75));
    CHECK(std::abs(share_of_zeros(y) - 0.25) < 0.02);  // 4.6 standard deviations
    CHECK(dropout(x, 0.25, {7}).to_vector<double>() == y.to_vector<double>());
    CHECK(dropout(x, 0.25, {8}).to_vector<double>() != y.to_vector<double>());
    CHECK(dropout(x, 0, {7}).to_vector<double>() == x.to_vector<double>());
  }

  TEST_CASE("under Evaluate nothing is dropped") {
    const Evaluate guard;
    const Tensor x = counted({2, 3});
    CHECK(dropout(x, 0.5, {7}).to_vector<double>() == x.to_vector<double>());
  }

  TEST_CASE("whole steps: a feature of a sequence is there at each step, or at none") {
    const Tensor y = dropout(ones({30, 4, 10}, DType::f64), 0.5, {7}, true);
    for (std::int64_t b = 0; b < 30; ++b) {
      for (std::int64_t f = 0; f < 10; ++f) {
        for (std::int64_t t = 1; t < 4; ++t) CHECK(y.item({b, t, f}) == y.item({b, 0, f}));
      }
    }
    CHECK(std::abs(share_of_zeros(y) - 0.5) < 0.15);
  }

  TEST_CASE("padding draws nothing: a step's rank counts, not its position") {
    const Tensor alone = dropout(ones({1, 2, 50}, DType::f64), 0.5, {7});
    const Mask holes = Mask::keep({{false, true, false, true}});
    const Tensor y = dropout(ones({1, 4, 50}, DType::f64).with_mask(holes), 0.5, {7});
    for (std::int64_t f = 0; f < 50; ++f) {
      CHECK(y.item({0, 1, f}) == alone.item({0, 0, f}));
      CHECK(y.item({0, 3, f}) == alone.item({0, 1, f}));
    }
  }

  TEST_CASE("the gradient is scaled as the value, and 0 where it was dropped") {
    const Tensor x = ones({2, 3}, DType::f64).with_grad();
    const Tensor y = dropout(x, 0.5, {7});
    auto expected = y.to_vector<double>();
    for (std::size_t i = 0; i < expected.size(); ++i) expected[i] *= static_cast<double>(i + 1);
    CHECK(pulled(x, y) == expected);
  }

  TEST_CASE("of nothing, and refusals") {
    CHECK(dropout(zeros({0, 3}), 0.5, {7}).shape() == Shape{0, 3});
    for (const double rate : {1.0, -0.1, std::nan("")}) {
      CHECK(throws<OptionError>([&] { dropout(counted({2}), rate, {7}); }, "dropout: the rate is ",
                                "expected a probability from 0 up to but not 1"));
    }
    CHECK(throws<TypeError>([] { dropout(arange(3), 0.5, {7}); },
                            "dropout: got i64[3]; expected f32 or f64"));
  }
}

}  // namespace maskgrad::tests::test_dropout
