#include <maskgrad/autograd/ops/shape/reshape.hpp>

#include <limits>
#include <optional>

#include <maskgrad/autograd/ops/shape/rearrange.hpp>

namespace maskgrad {
namespace {

/// The product of the known sizes, at most `most`, and how many are free.
struct Product {
  static constexpr auto most = std::numeric_limits<std::int64_t>::max();
  std::int64_t known = 1;
  int open = 0;

  explicit Product(const Shape& shape) {
    for (auto size : shape) {
      if (size == any) {
        ++open;
      } else {
        known = size > 0 && known > most / size ? most : known * size;
      }
    }
  }
};

/// `to` with its free size filled in, where it can hold the values of `from`.
std::optional<Shape> filled(const Shape& from, Shape to) {
  const Product have(from), want(to);
  if (want.open == 0) {
    const bool fit = have.open == 0
                         ? have.known == want.known
                         : (have.known == 0 ? want.known == 0 : want.known % have.known == 0);
    return fit ? std::optional(to) : std::nullopt;
  }
  if (have.open > 0) return to;
  if (want.open > 1) return to;  // of a tensor without data: which is which stays open
  if (want.known == 0 || have.known % want.known != 0) return std::nullopt;
  for (int i = 0; i < to.rank(); ++i) {
    if (to[i] == any) to[i] = have.known / want.known;
  }
  return to;
}

/// `shape` filled in where its first `cut` axes can be the mask axes of `x`, the others the inner.
std::optional<Shape> cut_at(const Tensor& x, const Shape& shape, int cut) {
  const auto outer = filled(x.mask().shape(), shape.sub(0, cut));
  const auto inner = filled(rows::inner_shape(x), shape.sub(cut, shape.rank()));
  if (!outer || !inner) return std::nullopt;
  return *outer + *inner;
}

/// Whether free sizes would have to be known ones; a cut is not looked for there.
bool closes(const Shape& from, const Shape& to) {
  return from.has_any() && !to.has_any();
}

/// Where the mask axes end in `shape`, and its sizes filled in: first where the mask keeps its
/// shape, then as early as can be.
std::optional<std::pair<int, Shape>> find_cut(const Tensor& x, const Shape& shape) {
  const Shape outer = x.mask().shape(), inner = rows::inner_shape(x);
  const int rank = shape.rank();
  for (int i = -1; i <= rank; ++i) {
    const int at = i < 0 ? outer.rank() : i;
    if (at > rank || closes(inner, shape.sub(at, rank)) || (i == 0 && outer.rank() > 0)) continue;
    const Shape front = shape.sub(0, at);
    const bool kept = front.rank() == outer.rank() && fits(front, outer);
    if (i < 0 ? !kept : closes(outer, front)) continue;
    if (const auto cut = cut_at(x, shape, at)) return {{at, *cut}};
  }
  return std::nullopt;
}

[[noreturn]] void does_not_fit(const Tensor& x, const Shape& shape) {
  fail<ShapeError>("reshape", "{} to {}: the numbers of values differ; expected the same number{}",
                   x.describe(), shape,
                   shape.has_any() ? ", -1 once for the size that is left" : "");
}

}  // namespace

Tensor reshape(const Tensor& x, const Shape& shape) {
  if (shape == x.shape()) return x;
  if (!x.is_meta() && Product(shape).open > 1) does_not_fit(x, shape);
  const auto whole = filled(x.shape(), shape);
  if (!x.has_mask()) {
    if (!whole) does_not_fit(x, shape);
    return rearrange::regroup("reshape", x, *whole, 0);
  }
  if (const auto cut = find_cut(x, shape)) {
    return rearrange::regroup("reshape", x, cut->second, cut->first);
  }
  if (!whole && Product(shape).known != 0) does_not_fit(x, shape);
  fail<MaskError>("reshape",
                  "{} to {}: an axis of the result would hold mask axes and inner axes; expected "
                  "sizes that merge or split either group, {} or {}. Reshape these, or end the "
                  "mask with x.drop_mask(\"why\")",
                  x.describe(), shape, x.mask().shape(), rows::inner_shape(x));
}

Tensor flatten(const Tensor& x, int from, int to) {
  from = normal_axis("flatten", from, x.shape());
  to = normal_axis("flatten", to, x.shape());
  if (from > to) {
    fail<ShapeError>("flatten", "axes {} to {} of {}; expected the first before the last", from, to,
                     x.describe());
  }
  const int mask_rank = rows::mask_rank(x);
  if (from < mask_rank && to >= mask_rank) {
    fail<MaskError>("flatten",
                    "axes {} to {} of {}: axes 0 to {} are mask axes, the others inner; expected "
                    "axes of one group. Flatten either group by itself, or end the mask with "
                    "x.drop_mask(\"why\")",
                    from, to, x.describe(), mask_rank - 1);
  }
  const Shape merged = x.shape().sub(from, to + 1);
  const auto size = merged.has_any() ? any : merged.count();
  const Shape shape = x.shape().sub(0, from) + Shape{size} + x.shape().sub(to + 1, x.rank());
  return rearrange::regroup("flatten", x, shape,
                            to < mask_rank ? mask_rank - (to - from) : mask_rank);
}

Tensor expand_dims(const Tensor& x, int axis) {
  if (axis < -x.rank() - 1 || axis > x.rank()) {
    fail<ShapeError>("expand_dims", "axis {} of {}; expected {} to {}", axis, x.describe(),
                     -x.rank() - 1, x.rank());
  }
  if (axis < 0) axis += x.rank() + 1;
  const int mask_rank = rows::mask_rank(x);
  const Shape shape = x.shape().sub(0, axis) + Shape{1} + x.shape().sub(axis, x.rank());
  return rearrange::regroup("expand_dims", x, shape, mask_rank + (axis < mask_rank ? 1 : 0));
}

Tensor squeeze(const Tensor& x, int axis) {
  axis = normal_axis("squeeze", axis, x.shape());
  if (!fits(x.shape()[axis], 1)) {
    fail<ShapeError>("squeeze", "axis {} of {} has size {}; expected 1. Use select(x, {}, index)",
                     axis, x.describe(), x.shape()[axis], axis);
  }
  const int mask_rank = rows::mask_rank(x);
  const Shape shape = x.shape().sub(0, axis) + x.shape().sub(axis + 1, x.rank());
  return rearrange::regroup("squeeze", x, shape, mask_rank - (axis < mask_rank ? 1 : 0));
}

}  // namespace maskgrad
