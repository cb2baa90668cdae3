#include <maskgrad/autograd/plans/broadcast.hpp>

#include <algorithm>
#include <vector>

namespace maskgrad {
namespace {

Shape broadcast_shape(std::string_view op, const Tensor& a, const Tensor& b) {
  const int rank = std::max(a.rank(), b.rank());
  Shape shape;
  for (int i = 0; i < rank; ++i) {
    const int ia = i - (rank - a.rank()), ib = i - (rank - b.rank());
    const auto x = ia < 0 ? 1 : a.shape()[ia], y = ib < 0 ? 1 : b.shape()[ib];
    if (!fits(x, y) && x != 1 && y != 1) {
      fail<ShapeError>(op,
                       "{} with {}: sizes {} and {} on axis {} of the result; expected the same "
                       "size, or 1",
                       a.describe(), b.describe(), x, y, i);
    }
    shape.push_back(x == 1 || x == any ? (y == 1 ? x : y) : x);
  }
  return shape;
}

/// The mask of `x` as one over the first `axes` axes of a result of rank `rank`.
Mask aligned(const Tensor& x, int rank, int axes) {
  if (!x.has_mask()) return {};
  Shape shape = x.mask().shape();
  for (int have = rank - x.rank() + shape.rank(); have < axes; ++have) shape.push_back(1);
  return shape == x.mask().shape() ? x.mask() : masks::reshape(x.mask(), shape);
}

int mask_axes(const Tensor& x, int rank) {
  return x.has_mask() ? rank - x.rank() + x.mask().rank() : 0;
}

/// Whether axes [from, rank) of the result are all those of `x`, or all of size 1 (or none) there.
bool uniform(const Tensor& x, const Shape& shape, int from) {
  bool full = true, one = true;
  for (int i = from; i < shape.rank(); ++i) {
    const int own = i - (shape.rank() - x.rank());
    const auto size = own < 0 ? 1 : x.shape()[own];
    full = full && size == shape[i];
    one = one && size == 1;
  }
  return full || one;
}

}  // namespace

Broadcast::Broadcast(std::string_view op, const Tensor& x, const Tensor& y)
    : shape(broadcast_shape(op, x, y)), inputs_{&x, &y} {
  const int rank = shape.rank();
  const int axes = std::max(mask_axes(x, rank), mask_axes(y, rank));
  if (x.has_mask() || y.has_mask()) {
    mask = masks::both(aligned(x, rank, axes), aligned(y, rank, axes), shape.sub(0, axes));
  }
  if (x.is_meta() || y.is_meta()) return;
  split();
  a = side(x);
  b = side(y);
}

void Broadcast::split() {
  const int mask_end = mask ? mask.rank() : 0;
  split_ = shape.rank();
  while (split_ > mask_end && uniform(*inputs_[0], shape, split_ - 1) &&
         uniform(*inputs_[1], shape, split_ - 1)) {
    --split_;
  }
  inner = shape.count(split_, shape.rank());
  outer = (mask ? mask.valid() : 1) * shape.count(mask_end, split_);
}

Broadcast::Side Broadcast::side(const Tensor& x) const {
  Side s;
  const int rank = shape.rank(), lead = rank - x.rank();
  s.one_to_one = x.shape() == shape && (x.mask() == mask);
  if (s.one_to_one) return s;
  std::int64_t own_inner = 1;
  for (int i = std::max(split_, lead); i < rank; ++i) own_inner *= x.shape()[i - lead];
  s.flat = own_inner == inner;
  // Places of the runs: stored rows by the position over x's mask axes, plus strides behind them.
  const int mask_end = mask ? mask.rank() : 0, own_mask = rows::mask_rank(x);
  std::array<std::int64_t, Shape::max_rank> position{}, offset{};
  const auto mask_strides = extend::strides_of(x.shape().sub(0, own_mask));
  const auto inner_strides = extend::strides_of(x.shape());
  bool moves = false;
  for (int i = 0; i < split_; ++i) {
    const int own = i - lead;
    if (own < 0 || x.shape()[own] == 1) continue;
    auto& stride = own < own_mask ? position[static_cast<std::size_t>(i)]
                                  : offset[static_cast<std::size_t>(i)];
    stride = own < own_mask ? mask_strides[static_cast<std::size_t>(own)]
                            : inner_strides[static_cast<std::size_t>(own)];
    moves = true;
  }
  s.repeats = !moves && own_mask == 0;
  if (s.repeats) return s;
  const auto position_of = [&](std::int64_t flat, const Shape& over, const auto& strides, int at) {
    std::int64_t sum = 0;
    for (int i = over.rank() - 1; i >= 0; --i) {
      sum += flat % over[i] * strides[static_cast<std::size_t>(at + i)];
      flat /= over[i];
    }
    return sum;
  };
  const Shape over_mask = shape.sub(0, mask_end), between = shape.sub(mask_end, split_);
  const auto tail = between.count();
  s.base = extend::Index(outer);
  for (std::int64_t r = 0; r * tail < outer; ++r) {
    const auto flat = mask ? mask.impl().positions[r] : 0;
    auto start = position_of(flat, over_mask, offset, 0);
    if (own_mask || x.has_mask()) {
      start += x.mask().impl().row_of()[position_of(flat, over_mask, position, 0)] * rows::inner(x);
    }
    for (std::int64_t t = 0; t < tail; ++t) {
      s.base[r * tail + t] = start + position_of(t, between, offset, mask_end);
    }
  }
  return s;
}

}  // namespace maskgrad
