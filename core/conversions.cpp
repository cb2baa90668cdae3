#include <maskgrad/core/conversions.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/rows.hpp>

namespace maskgrad {

Tensor tensor(std::span<const std::int32_t> values, const Shape& shape) {
  return tensor(std::vector<std::int64_t>(values.begin(), values.end()), shape);
}
Tensor tensor(const std::vector<std::int32_t>& values, const Shape& shape) {
  return tensor(std::span<const std::int32_t>(values), shape);
}
Tensor tensor(std::initializer_list<std::int32_t> values, const Shape& shape) {
  return tensor(std::span<const std::int32_t>(values.begin(), values.size()), shape);
}

namespace {

/// Whether `value` is one of T's.
template <class T, class From>
bool is_one_of(From value) {
  if constexpr (std::is_same_v<From, T> || extend::Real<T> || std::is_same_v<From, bool>) {
    return true;
  } else if constexpr (std::is_same_v<T, bool>) {
    return value == From{0} || value == From{1};
  } else if constexpr (extend::Real<From>) {
    const double whole = static_cast<double>(value);
    const double end = std::is_same_v<T, std::int32_t> ? 0x1p31 : 0x1p63;
    return whole == std::trunc(whole) && whole >= -end && whole < end;
  } else {
    return std::in_range<T>(value);
  }
}

template <class T>
constexpr std::string_view name_as() {
  if constexpr (std::is_same_v<T, std::int32_t>) {
    return "int32";
  } else {
    return name(dtype_of<T>());
  }
}

template <class T, class From>
std::vector<T> converted(const Tensor& x, T fill) {
  auto made = checked::vector<T>("values_as", x.shape().count(), fill);
  const auto values = rows::of<From>(x);
  const auto inner = static_cast<std::size_t>(rows::inner(x));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto row = i / std::max<std::size_t>(1, inner);
    const auto position =
        x.has_mask() ? static_cast<std::size_t>(x.mask().impl().positions[row]) : row;
    const auto to = position * inner + i % std::max<std::size_t>(1, inner);
    if (!is_one_of<T>(values[i])) {
      fail<TypeError>("values_as", "value {} of {} is {}, which is no {}; round or cast it first",
                      to, x.describe(), values[i], name_as<T>());
    }
    made[to] = static_cast<T>(values[i]);
  }
  return made;
}

void check_data(std::string_view where, const Tensor& x) {
  if (x.defined() && !x.is_meta()) return;
  fail<StateError>(where, "got {}, which has no data", x.describe());
}

/// Of each sequence, how many steps are valid.
std::vector<std::int64_t> steps_of(const Tensor& x) {
  check_data("to_sequences", x);
  if (x.rank() < 2) {
    fail<ShapeError>("to_sequences", "got {}; expected [sequences, steps, ...]", x.describe());
  }
  if (!x.has_mask()) {
    return std::vector<std::int64_t>(static_cast<std::size_t>(x.shape()[0]), x.shape()[1]);
  }
  if (x.mask().rank() == 2) return x.mask().lengths();
  fail<MaskError>(
      "to_sequences",
      "got {}; expected a mask over sequences and steps; drop_mask or with_mask it first",
      x.describe());
}

}  // namespace

template <extend::Convertible T>
std::vector<T> values_as(const Tensor& x, T fill) {
  check_data("values_as", x);
  return extend::dispatch(x.dtype(), [&]<class From>() { return converted<T, From>(x, fill); });
}

template <extend::Element T>
std::vector<std::vector<T>> to_sequences(const Tensor& x) {
  const auto steps = steps_of(x);
  if (x.dtype() != dtype_of<T>()) {
    fail<TypeError>("to_sequences", "got {}, asked for {}", x.describe(), name(dtype_of<T>()));
  }
  const auto width = x.shape().count(2, x.rank());
  std::vector<std::vector<T>> made;
  auto from = rows::of<T>(x).begin();  // valid steps stand in order, sequence by sequence
  for (const auto count : steps) {
    made.emplace_back(from, from + count * width);
    from += count * width;
  }
  return made;
}

std::vector<Tensor> to_sequences(const Tensor& x) {
  const auto steps = steps_of(x);
  return extend::dispatch(x.dtype(), [&]<class T>() {
    const Shape step = x.shape().sub(2, x.rank());
    std::vector<Tensor> made;
    auto from = rows::of<T>(x).begin();
    for (const auto count : steps) {
      Tensor one = rows::make(Shape{count} + step, x.dtype());
      const auto values = count * step.count();
      std::copy_n(from, values, rows::of_mutable<T>(one).begin());
      from += values;
      made.push_back(std::move(one));
    }
    return made;
  });
}

template std::vector<std::int32_t> values_as<std::int32_t>(const Tensor&, std::int32_t);
template std::vector<std::int64_t> values_as<std::int64_t>(const Tensor&, std::int64_t);
template std::vector<float> values_as<float>(const Tensor&, float);
template std::vector<double> values_as<double>(const Tensor&, double);
template std::vector<bool> values_as<bool>(const Tensor&, bool);
template std::vector<std::vector<float>> to_sequences<float>(const Tensor&);
template std::vector<std::vector<double>> to_sequences<double>(const Tensor&);
template std::vector<std::vector<std::int64_t>> to_sequences<std::int64_t>(const Tensor&);
template std::vector<std::vector<bool>> to_sequences<bool>(const Tensor&);

}  // namespace maskgrad
