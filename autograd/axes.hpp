#pragma once

#include <concepts>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include <maskgrad/core/shape.hpp>

namespace maskgrad {

/// The axes an operation runs over: one, a list, or all (`{}`). Negative ones count from the back.
class Axes {
 public:
  Axes() = default;
  Axes(int axis) : Axes({axis}) {}
  Axes(std::floating_point auto) = delete;  // an option behind the axes, without them
  Axes(std::initializer_list<int> axes) : Axes(std::span(axes.begin(), axes.size())) {}
  Axes(const std::vector<int>& axes) : Axes(std::span(axes)) {}
  explicit Axes(std::span<const int> axes);

  /// A bit for each axis of `shape`. ShapeError for one out of range or named twice.
  unsigned bits(std::string_view op, const Shape& shape) const;

 private:
  int axes_[Shape::max_rank] = {};
  int count_ = -1;
};

}  // namespace maskgrad
