#include <doctest/doctest.h>

#include <cmath>
#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_softmax {
namespace {

using Values = std::vector<double>;

/// Log of 1, 2, ..., so that a softmax is a share of these.
Tensor logs(const Shape& shape) {
  return log(reshape(arange(shape.count(), DType::f64) + 1, shape));
}

void same(const Tensor& y, const Values& expected) {
  const auto values = y.to_vector<double>();
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    CHECK(values[i] == doctest::Approx(expected[i]).epsilon(1e-12));
  }
}

TEST_CASE("Softmax: over time it runs over valid steps, over features inside the row") {
  const Mask holes = Mask::keep({{true, false, true}, {false, false, false}});
  const Tensor x = logs({2, 3, 2}).with_mask(holes);
  for (const std::int64_t axis : {1, -2}) {
    const Tensor y = Softmax{{.axis = axis}}(x);
    CHECK(y.mask() == holes);
    same(y, {1. / 6, 2. / 8, 0, 0, 5. / 6, 6. / 8, 0, 0, 0, 0, 0, 0});
  }
  same(Softmax{}(x), {1. / 3, 2. / 3, 0, 0, 5. / 11, 6. / 11, 0, 0, 0, 0, 0, 0});
  same(Softmax{}(logs({1, 3}).with_mask(Mask::keep({{true, true, false}}))), {1. / 3, 2. / 3, 0});
}

TEST_CASE("Softmax: several axes sum to 1 together, and a mask over features counts values") {
  const Mask holes = Mask::keep({{true, false, true}, {false, false, false}});
  const Tensor y = Softmax{{.axis = {1, 2}}}(logs({2, 3, 2}).with_mask(holes));
  CHECK(y.mask() == holes);
  same(y, {1. / 14, 2. / 14, 0, 0, 5. / 14, 6. / 14, 0, 0, 0, 0, 0, 0});
  const Mask full = Mask::keep({true, false, true, true}, {1, 2, 2});
  same(Softmax{{.axis = 1}}(logs({1, 2, 2}).with_mask(full)), {1. / 4, 0, 3. / 4, 1});
  const auto text = describe(Softmax{{.axis = {1, 2}}});
  CHECK(text == R"({"class_name":"Softmax","config":{"axis":[1,2]}})");
  CHECK(detail::describe_any(detail::layer_from("test", text)) == text);
}

TEST_CASE("Softmax refuses axes that are not there") {
  CHECK(throws<OptionError>([] { Softmax{{.axis = extend::IntegerList{}}}; },
                            "Softmax: the option .axis has no"));
  CHECK(throws<OptionError>([] { Softmax{{.axis = -9}}; },
                            "the option .axis is -9; expected an axis, -8 to 7"));
  CHECK(throws<OptionError>([] { make_layer("Softmax", R"({"axis": [1.5]})"); },
                            "Softmax: the option .axis is [1.5]; expected an array of integers"));
  CHECK(throws<ShapeError>(
      [] {
        Softmax{{.axis = 2}}(zeros({2, 3}));
      },
      "Softmax 'softmax'", "axis 2"));
  CHECK(throws<TypeError>([] { Softmax{}(zeros({2, 3}, DType::i64)); }, "i64"));
}

}  // namespace
}  // namespace maskgrad::tests::test_softmax
