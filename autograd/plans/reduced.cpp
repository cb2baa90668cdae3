#include <maskgrad/autograd/plans/reduced.hpp>

#include <vector>

#include <maskgrad/core/checked.hpp>

namespace maskgrad {
namespace {

bool has(unsigned axes, int axis) {
  return (axes >> axis & 1) != 0;
}

/// Where each of the `count` index tuples over `dims` starts, by their sizes and strides.
struct Dim {
  std::int64_t size, stride;
};
struct Dims {
  Dim dim[Shape::max_rank];
  int count = 0;
  void push(Dim d) { dim[count++] = d; }
};

kernels::Reduction::Offsets offsets(const Dims& dims) {
  kernels::Reduction::Offsets p;
  for (int i = 0; i < dims.count; ++i) p.count *= dims.dim[i].size;
  if (dims.count == 1) p.stride = dims.dim[0].stride;
  if (dims.count < 2 || p.count == 0) return p;
  p.table = extend::Index(p.count);
  for (std::int64_t i = 0; i < p.count; ++i) {
    std::int64_t offset = 0, rest = i;
    for (int k = dims.count - 1; k >= 0; --k) {
      offset += rest % dims.dim[k].size * dims.dim[k].stride;
      rest /= dims.dim[k].size;
    }
    p.table[i] = offset;
  }
  return p;
}

/// For each position over a mask's axes, the position over those that are not reduced.
class LeftPosition {
 public:
  LeftPosition(const Shape& shape, unsigned reduced) : shape_(shape) {
    std::int64_t stride = 1;
    for (int i = shape.rank() - 1; i >= 0; --i) {
      stride_[static_cast<std::size_t>(i)] = has(reduced, i) ? 0 : stride;
      if (!has(reduced, i)) stride *= shape[i];
    }
  }
  std::int64_t operator()(std::int64_t position) const {
    std::int64_t left = 0;
    for (int i = shape_.rank() - 1; i >= 0; --i) {
      left += position % shape_[i] * stride_[static_cast<std::size_t>(i)];
      position /= shape_[i];
    }
    return left;
  }

 private:
  Shape shape_;
  std::array<std::int64_t, Shape::max_rank> stride_{};
};

}  // namespace

Reduced::Reduced(std::string_view op, const Tensor& x, const Axes& over, bool keepdims,
                 std::int64_t needs)
    : axes(over.bits(op, x.shape())), x_shape_(x.shape()), x_mask_(x.mask()), meta_(x.is_meta()) {
  for (int i = 0; i < x.rank(); ++i) {
    if (!has(axes, i)) shape.push_back(x.shape()[i]);
    if (has(axes, i) && keepdims) shape.push_back(1);
  }
  const unsigned crossed = axes & ((1u << rows::mask_rank(x)) - 1);
  if (!crossed) mask = x.mask();
  if (meta_) {
    if (crossed && needs > 0) mask = masks::any_over(x.mask(), crossed, keepdims);
    return;
  }
  split_inner(x);
  if (crossed) {
    group_rows(x.mask(), crossed, keepdims, needs);
  } else {
    rows_alone(op, x, needs);
  }
}

void Reduced::split_inner(const Tensor& x) {
  const auto strides = extend::strides_of(x.shape());
  Dims kept, reduced;
  bool last_reduced = false;
  int last = -1;  // the axis before, of either kind
  for (int i = rows::mask_rank(x); i < x.rank(); ++i) {
    const auto size = x.shape()[i];
    if (size == 1) continue;
    Dims& mine = has(axes, i) ? reduced : kept;
    const auto stride = strides[static_cast<std::size_t>(i)];
    if (last >= 0 && last_reduced == has(axes, i)) {
      Dim& d = mine.dim[mine.count - 1];
      d = {d.size * size, stride};
    } else {
      mine.push({size, stride});
    }
    last = i;
    last_reduced = has(axes, i);
  }
  if (last >= 0) {
    Dims& mine = last_reduced ? reduced : kept;
    plan.run = mine.dim[--mine.count].size;
    plan.wide = !last_reduced;
  }
  plan.outer = offsets(kept);
  plan.lines = offsets(reduced);
  plan.width = rows::inner(x);
}

/// Every row is a group of its own.
void Reduced::rows_alone(std::string_view op, const Tensor& x, std::int64_t needs) {
  plan.groups = rows::count(x);
  if (inside() >= needs) return;
  const Shape left = mask ? mask.shape() : Shape{};
  const auto none = checked::vector<std::uint8_t>(op, left.count());
  mask = masks::from_bits(none, left, mask ? mask.origin() : masks::origin_here(op));
  plan.groups = 0;
  covers_ = false;
}

namespace {

/// Rows that meet in each group: for each position over the mask axes that are left.
extend::Index rows_by_group(const Mask& m, unsigned crossed, std::int64_t groups) {
  const int last = m.rank() - 1;
  if (crossed == 1u << last) return m.impl().length;
  extend::Index rows(groups);
  std::fill(rows.begin(), rows.end(), 0);
  if (groups == 1) {
    rows[0] = m.valid();
    return rows;
  }
  const LeftPosition left(m.shape(), crossed);
  for (auto p : m.impl().positions) ++rows[left(p)];
  return rows;
}

}  // namespace

void Reduced::group_rows(const Mask& m, unsigned crossed, bool keepdims, std::int64_t needs) {
  Shape left, left_kept;
  for (int i = 0; i < m.rank(); ++i) {
    if (!has(crossed, i)) left.push_back(m.shape()[i]);
    if (!has(crossed, i) || keepdims) left_kept.push_back(has(crossed, i) ? 1 : m.shape()[i]);
  }
  const auto positions = left.count();
  const extend::Index rows = rows_by_group(m, crossed, positions);
  extend::Index group_of(positions);  // -1: it does not exist
  auto exists = checked::vector<std::uint8_t>("a reduction", positions);
  plan.begin = extend::Index(positions + 1);
  plan.begin[0] = plan.groups = 0;
  for (std::int64_t p = 0; p < positions; ++p) {
    const bool enough = rows[p] * inside() >= needs;
    exists[static_cast<std::size_t>(p)] = enough;
    covers_ = covers_ && (enough || rows[p] == 0);
    group_of[p] = enough ? plan.groups : -1;
    if (!enough) continue;
    plan.begin[plan.groups + 1] = plan.begin[plan.groups] + rows[p];
    ++plan.groups;
  }
  if (plan.groups < positions) mask = masks::from_bits(exists, left_kept, m.origin());
  // The rows of a group stand together where the last axes are the ones that are crossed.
  const unsigned all = (1u << m.rank()) - 1, first_crossed = crossed & -crossed;
  const bool together = (crossed | (first_crossed - 1)) == all;
  if (!together || !covers_) order_rows(m, crossed, group_of);
}

void Reduced::order_rows(const Mask& m, unsigned crossed, const extend::Index& group_of) {
  const LeftPosition left(m.shape(), crossed);
  plan.order = extend::Index(plan.begin[plan.groups]);
  extend::Index next(plan.groups);
  std::copy_n(plan.begin.begin(), plan.groups, next.begin());
  std::int64_t row = 0;
  for (auto p : m.impl().positions) {
    const auto group = group_of[left(p)];
    if (group >= 0) plan.order[next[group]++] = row;
    ++row;
  }
}

Tensor Reduced::make(DType dtype) const {
  return meta_ ? rows::make_meta(shape, dtype, mask) : rows::make(shape, dtype, mask);
}

Tensor Reduced::make_gradient(DType dtype) const {
  return covers_ ? rows::make(x_shape_, dtype, x_mask_)
                 : rows::make_zeros(x_shape_, dtype, x_mask_);
}

}  // namespace maskgrad
