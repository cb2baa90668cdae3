#include "compare.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <maskgrad/core/rows.hpp>

namespace maskgrad::conformance {
namespace {

std::vector<double> dense(const Tensor& x) {
  return extend::dispatch(x.dtype(), [&]<class T>() {
    const auto values = x.to_vector<T>();
    return std::vector<double>(values.begin(), values.end());
  });
}

std::vector<double> wide(const Array& array) {
  return extend::dispatch(array.dtype, [&]<class T>() {
    const auto values = array.values<T>();
    return std::vector<double>(values.begin(), values.end());
  });
}

/// `[1, 0, 3]`, of the flat position.
std::string index_of(const Shape& shape, std::int64_t flat) {
  Shape index = shape;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    index[axis] = flat % shape[axis];
    flat /= shape[axis];
  }
  return index.str();
}

}  // namespace

std::string Comparison::what() {
  for (const auto& name : case_.under("expected.")) {
    if (!seen_.count("expected." + name)) wrong("expected." + name + " has no counterpart here");
  }
  if (seen_.empty() && case_.kind != "raises") wrong("the case expects nothing");
  return what_;
}

void Comparison::wrong(std::string what) {
  if (worst_ == std::numeric_limits<double>::infinity()) return;  // the first one stands
  worst_ = std::numeric_limits<double>::infinity();
  what_ = std::move(what);
}

void Comparison::values(const std::string& array, const Tensor& got, const Mask& exact) {
  const auto& want = case_.arrays.at(array);
  seen_.insert(array);
  const Shape shape(want.shape);
  if (got.defined() && got.shape() != shape) {
    return wrong(fmt::format("{} has the shape {}, expected {}", array, got.shape(), shape));
  }
  const auto expected = wide(want);
  const auto actual = got.defined() ? dense(got) : std::vector<double>(expected.size());
  const auto inside = exact ? exact.to_vector() : std::vector<bool>();
  const auto row = exact ? static_cast<std::size_t>(shape.count(exact.rank(), shape.rank())) : 1;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double e = expected[i], a = actual[i];
    const auto at = [&] { return array + index_of(shape, static_cast<std::int64_t>(i)); };
    if (exact && !inside[i / row] && a != 0) {
      return wrong(fmt::format("{} is {}, expected exactly 0: the position is masked", at(), a));
    }
    if (a == e || (std::isnan(a) && std::isnan(e))) continue;
    const double apart = std::abs(a - e), tolerance = case_.atol + case_.rtol * std::abs(e);
    if (!(apart <= std::numeric_limits<double>::max())) {
      return wrong(fmt::format("{} is {}, expected {}", at(), a, e));
    }
    if (apart / tolerance <= worst_) continue;
    worst_ = apart / tolerance;
    what_ =
        fmt::format("{} is {:.10g}, expected {:.10g}: off by {:.2g}, {:.2g} times the tolerance",
                    at(), a, e, apart, worst_);
  }
}

void Comparison::mask(const std::string& array, const Tensor& got) {
  const Mask want = case_.mask(array);
  seen_.insert(array);
  if (!want && got.has_mask()) {
    return wrong(fmt::format("the output {} carries a mask, expected none", got.describe()));
  }
  if (want && !got.has_mask()) {
    return wrong(fmt::format("the output {} carries no mask, expected one of {}", got.describe(),
                             want.shape()));
  }
  if (!want || got.mask() == want) return;
  if (got.mask().shape() != want.shape()) {
    return wrong(
        fmt::format("{} has the shape {}, expected {}", array, got.mask().shape(), want.shape()));
  }
  const auto a = got.mask().to_vector(), e = want.to_vector();
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == e[i]) continue;
    return wrong(fmt::format("{}{} is {}, expected {}", array,
                             index_of(want.shape(), static_cast<std::int64_t>(i)), bool(a[i]),
                             bool(e[i])));
  }
}

}  // namespace maskgrad::conformance
