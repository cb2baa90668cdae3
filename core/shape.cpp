#include <maskgrad/core/shape.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/core/checked.hpp>

namespace maskgrad {

Shape::Shape(std::span<const std::int64_t> sizes) {
  if (sizes.size() > max_rank) {
    fail<ShapeError>("Shape", "got {} axes; expected at most {}", sizes.size(), max_rank + 0);
  }
  for (auto size : sizes) push_back(size);
}

void Shape::push_back(std::int64_t size) {
  if (rank_ == max_rank) fail<ShapeError>("Shape", "more than {} axes", max_rank + 0);
  if (size < 0 && size != any) {
    fail<ShapeError>("Shape", "axis {} has size {}; expected 0 or more", rank_, size);
  }
  if (size > checked::most) {
    fail<ShapeError>("Shape", "axis {} has size {}, more values than can be counted", rank_, size);
  }
  sizes_[static_cast<std::size_t>(rank_++)] = size;
}

std::int64_t Shape::count(int from, int to) const {
  std::int64_t n = 1;
  for (int i = from; i < to; ++i) {
    const auto size = (*this)[i];
    if (size == any)
      fail<ShapeError>("Shape", "{} has free sizes and so no number of values", *this);
    if (size != 0 && n > checked::most / size) {
      fail<ShapeError>("Shape", "{} has more values than can be counted", *this);
    }
    n *= size;
  }
  return n;
}

Shape Shape::sub(int from, int to) const {
  Shape s;
  for (int i = from; i < to; ++i) s.push_back((*this)[i]);
  return s;
}

bool Shape::has_any() const {
  return std::find(begin(), end(), any) != end();
}

bool Shape::operator==(const Shape& other) const {
  return std::equal(begin(), end(), other.begin(), other.end());
}

std::string Shape::str() const {
  std::string text = "[";
  for (int i = 0; i < rank_; ++i) {
    if (i) text += ", ";
    text += (*this)[i] == any ? std::string("any") : fmt::to_string((*this)[i]);
  }
  return text + "]";
}

Shape operator+(const Shape& a, const Shape& b) {
  Shape s = a;
  for (auto size : b) s.push_back(size);
  return s;
}

bool fits(const Shape& a, const Shape& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](auto x, auto y) { return fits(x, y); });
}

std::array<std::int64_t, Shape::max_rank> extend::strides_of(const Shape& shape) {
  std::array<std::int64_t, Shape::max_rank> strides{};
  // Of an array without values, and of free sizes, they may be more than can be counted.
  std::uint64_t stride = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(stride);
    stride *= static_cast<std::uint64_t>(shape[i]);
  }
  return strides;
}

int extend::normal_axis(std::string_view where, int axis, const Shape& shape) {
  const int rank = shape.rank();
  if (axis < -rank || axis >= rank) {
    fail<ShapeError>(where, "axis {} of a tensor of shape {}; expected an axis from {} to {}", axis,
                     shape, -rank, rank - 1);
  }
  return axis < 0 ? axis + rank : axis;
}

}  // namespace maskgrad

fmt::format_context::iterator fmt::formatter<maskgrad::Shape>::format(
    const maskgrad::Shape& s, fmt::format_context& ctx) const {
  return fmt::formatter<std::string_view>::format(s.str(), ctx);
}
