#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <maskgrad/core/conversions.hpp>
#include <maskgrad/core/output.hpp>
#include <maskgrad/core/rows.hpp>
#include <sstream>

#include "throws.hpp"

namespace maskgrad::tests::test_conversions {
namespace {

/// Of two sequences of three steps the last two of the first and the first of the second.
Tensor with_holes() {
  const Mask mask = Mask::keep({{false, true, true}, {true, false, false}});
  const Tensor x = rows::make({2, 3, 2}, DType::f32, mask);
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  std::copy(values.begin(), values.end(), rows::of_mutable<float>(x).begin());
  return x;
}

TEST_CASE("sequences come out as they went in") {
  const std::vector<std::vector<float>> all = {{1, 2, 3, 4}, {}, {5, 6}};
  const Tensor x = from_sequences<float>(all, {2});
  CHECK(to_sequences<float>(x) == all);
  const auto parts = to_sequences(x);
  REQUIRE(parts.size() == 3);
  CHECK(parts[0].shape() == Shape{2, 2});
  CHECK(parts[1].shape() == Shape{0, 2});
  CHECK(parts[2].to_vector<float>() == all[2]);
  CHECK(to_sequences<float>(with_holes()) == std::vector<std::vector<float>>{{1, 2, 3, 4}, {5, 6}});
  CHECK(to_sequences<std::int64_t>(tensor({1, 2, 3, 4}, {2, 2})) ==
        std::vector<std::vector<std::int64_t>>{{1, 2}, {3, 4}});
  CHECK(to_sequences(zeros({0, 3})).empty());
  CHECK(to_sequences<float>(zeros({2, 0})).size() == 2);
}

TEST_CASE("what has no sequences is refused") {
  CHECK(throws<ShapeError>([] { to_sequences(zeros({3})); }, "[sequences, steps, ...]"));
  CHECK(throws<TypeError>([] { to_sequences<double>(zeros({3, 2})); }, "f64"));
  const Tensor rows_only = rows::make_zeros({2, 3}, DType::f32, Mask::keep({true, false}, {2}));
  CHECK(throws<MaskError>([&] { to_sequences(rows_only); }, "sequences and steps"));
  CHECK(throws<StateError>([] { to_sequences(Tensor()); }, "no data"));
}

TEST_CASE("values come out in another type, or are refused by their place") {
  const std::vector<std::int32_t> four = {1, 2, 3, -4};
  const Tensor x = tensor(four, {2, 2});
  CHECK(x.dtype() == DType::i64);
  CHECK(tensor({7, 8}, {2}).to_vector<std::int64_t>() == std::vector<std::int64_t>{7, 8});
  CHECK(values_as<int>(x) == four);
  CHECK(values_as<float>(x) == std::vector<float>{1, 2, 3, -4});
  CHECK(values_as<int>(with_holes(), -1) ==
        std::vector<int>{-1, -1, 1, 2, 3, 4, 5, 6, -1, -1, -1, -1});
  CHECK(values_as<bool>(tensor({0.0, 1.0}, {2})) == std::vector<bool>{false, true});
  CHECK(values_as<double>(tensor({true, false}, {2})) == std::vector<double>{1, 0});
  CHECK(values_as<float>(tensor({0.1}, {1})) == std::vector<float>{0.1F});
  const auto refused = [](const Tensor& t) {
    return throws<TypeError>([&] { values_as<int>(t); }, "value 1 of");
  };
  CHECK(refused(tensor({1.0, 0.5}, {2})));
  CHECK(refused(tensor({1.0, 0x1p31}, {2})));
  CHECK(refused(tensor({1.0, std::numeric_limits<double>::quiet_NaN()}, {2})));
  CHECK(refused(tensor({std::int64_t{1}, std::int64_t{1} << 31}, {2})));
  CHECK(values_as<int>(tensor({-0x1p31, 0x1p31 - 1}, {2}))[0] == std::numeric_limits<int>::min());
  CHECK(throws<TypeError>([] { values_as<bool>(tensor({2}, {1})); }, "which is no bool"));
  CHECK(throws<TypeError>([] { values_as<std::int64_t>(tensor({0x1p63}, {1})); }, "no i64"));
}

template <class T>
std::string streamed(const T& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

TEST_CASE("tensors and masks are printed, long ones in short") {
  const Mask steps = Mask::from_lengths({2, 1});
  const Tensor x = from_sequences<float>({{1, 2}, {3}});
  CHECK(streamed(x) == x.str());
  CHECK(fmt::format("{}", x) == x.str());
  const std::string text =
      "[[true true]\n [true false]]\nmask[2, 2], 3 valid, made by Mask::from_lengths";
  CHECK(streamed(steps) == text);
  CHECK(fmt::format("{}", steps) == text);
  CHECK(text_of(Mask()) == "no mask");
  CHECK(text_of(masks::meta({any, any}, "here")) == "mask[any, any] made by here");
  CHECK(text_of(Mask::from_lengths({1000, 4})).size() < 200);
  CHECK(streamed(zeros({1000, 1000})).size() < 400);
  CHECK(tensor({-std::nan(""), 1.0}, {2}).str() == "[nan 1]\nf64[2]");  // as NumPy writes it
}

}  // namespace
}  // namespace maskgrad::tests::test_conversions
