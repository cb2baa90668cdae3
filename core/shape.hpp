#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include <maskgrad/core/error.hpp>

namespace maskgrad {

/// A size that is not known yet, in specifications and meta tensors.
inline constexpr std::int64_t any = -1;

/// Sizes of a tensor's axes, at most 8, kept in place (no allocation).
class Shape {
 public:
  static constexpr int max_rank = 8;

  Shape() = default;
  /// Throws ShapeError for a size below 0 that is not `any`, and above 8 axes.
  Shape(std::initializer_list<std::int64_t> sizes)
      : Shape(std::span(sizes.begin(), sizes.size())) {}
  explicit Shape(std::span<const std::int64_t> sizes);

  int rank() const { return rank_; }
  /// Size of axis `axis`; no check, `axis` in [0, rank).
  std::int64_t operator[](int axis) const { return sizes_[static_cast<std::size_t>(axis)]; }
  std::int64_t& operator[](int axis) { return sizes_[static_cast<std::size_t>(axis)]; }
  std::int64_t back() const { return (*this)[rank_ - 1]; }

  const std::int64_t* begin() const { return sizes_.data(); }
  const std::int64_t* end() const { return sizes_.data() + rank_; }

  /// Product of the sizes of axes [from, to); 1 for none.
  std::int64_t count(int from, int to) const;
  std::int64_t count() const { return count(0, rank_); }
  /// The axes [from, to) as a shape.
  Shape sub(int from, int to) const;
  void push_back(std::int64_t size);
  bool has_any() const;

  /// Equal to the last size.
  bool operator==(const Shape& other) const;
  /// `[34, any, 16]`.
  std::string str() const;

 private:
  std::array<std::int64_t, max_rank> sizes_{};
  int rank_ = 0;
};

/// The axes of `a`, then those of `b`.
Shape operator+(const Shape& a, const Shape& b);

/// Whether two sizes can be the same: equal, or one of them `any`.
inline bool fits(std::int64_t a, std::int64_t b) {
  return a == b || a == any || b == any;
}
/// Whether every size can be the same.
bool fits(const Shape& a, const Shape& b);

namespace extend {

/// Row-major strides of `shape`, in elements.
std::array<std::int64_t, Shape::max_rank> strides_of(const Shape& shape);

/// Calls f(flat, offset) for every index of `shape` in order: its flat position, and the sum of its
/// indices times `strides`.
template <class F>
void for_each_offset(const Shape& shape, std::span<const std::int64_t> strides, F&& f) {
  std::array<std::int64_t, Shape::max_rank> index{};
  const auto total = shape.count();
  std::int64_t offset = 0;
  for (std::int64_t flat = 0; flat < total; ++flat) {
    f(flat, offset);
    for (int i = shape.rank() - 1; i >= 0; --i) {
      const auto at = static_cast<std::size_t>(i);
      offset += strides[at];
      if (++index[at] < shape[i]) break;
      offset -= strides[at] * shape[i];
      index[at] = 0;
    }
  }
}

/// `axis` counted from the front; negative ones count from the back. ShapeError, naming `where`
/// and the shape, when it is out of range.
int normal_axis(std::string_view where, int axis, const Shape& shape);

}  // namespace extend
}  // namespace maskgrad

template <>
struct fmt::formatter<maskgrad::Shape> : fmt::formatter<std::string_view> {
  fmt::format_context::iterator format(const maskgrad::Shape& s, fmt::format_context& ctx) const;
};
