#include <maskgrad/autograd/ops/shape/concatenate.hpp>

#include <algorithm>

#include <maskgrad/autograd/ops/shape/rearrange.hpp>
#include <maskgrad/core/checked.hpp>

namespace maskgrad {
namespace {

/// The size of an axis of the joint shape, from those of two parts; `any` gives way.
std::int64_t known(std::int64_t a, std::int64_t b) {
  return a == any ? b : a;
}

/// The joint shape, checked.
Shape joined(const std::vector<Tensor>& parts, int axis) {
  Shape shape = parts[0].shape();
  for (std::size_t k = 1; k < parts.size(); ++k) {
    const auto& part = parts[k];
    check::same_dtype("concatenate", parts[0], part);
    bool fit = part.rank() == shape.rank();
    for (int i = 0; fit && i < shape.rank(); ++i) {
      fit = i == axis || fits(shape[i], part.shape()[i]);
    }
    if (!fit) {
      fail<ShapeError>("concatenate",
                       "part 0 is {}, part {} is {}; expected the same sizes on every axis but {}",
                       parts[0].describe(), k, part.describe(), axis);
    }
    for (int i = 0; i < shape.rank(); ++i) {
      const auto size = part.shape()[i];
      if (i != axis) shape[i] = known(shape[i], size);
      if (i == axis) {
        shape[i] = checked::size_sum("concatenate", "the joint axis", {shape[i], size});
      }
    }
  }
  return shape;
}

/// Where the parts meet: their masks over `mask_axes` axes, and the joint shape and mask.
struct Plan {
  Plan(const std::vector<Tensor>& parts, int along);

  int axis, mask_axes = 0;
  bool meta = false;
  Shape shape;
  Mask mask;
};

Plan::Plan(const std::vector<Tensor>& parts, int along) : axis(along) {
  shape = joined(parts, axis);
  for (const auto& part : parts) {
    mask_axes = std::max(mask_axes, rows::mask_rank(part));
    meta = meta || part.is_meta();
  }
  const bool over_mask = axis < mask_axes;
  std::vector<Mask> masks_of;
  std::vector<Shape> shapes;
  for (const auto& part : parts) {
    Shape own = shape;
    own[axis] = part.shape()[axis];
    shapes.push_back(own.sub(0, mask_axes));
    masks_of.push_back(rearrange::extended(part, own, mask_axes));
    if (!over_mask) mask = masks::both(mask, masks_of.back(), shapes.back());
  }
  if (over_mask) mask = masks::concatenate(masks_of, shapes, axis);
}

/// The row of the result for each block of a part that begins at step `offset` of the mask axis.
Index rows_of_part(const Plan& plan, const Tensor& part, std::int64_t offset) {
  const rearrange::Blocks blocks(part, plan.mask_axes);
  const Shape over = plan.shape.sub(0, plan.mask_axes);
  const auto tail = over.count(plan.axis + 1, over.rank());
  const auto own = part.shape()[plan.axis] * tail, whole = over[plan.axis] * tail;
  const auto& row_of = plan.mask.impl().row_of();
  Index to(blocks.count());
  for (std::int64_t k = 0; k < blocks.count(); ++k) {
    const auto position = blocks.position(k);
    to[k] = row_of[position / own * whole + position % own + offset * tail];
  }
  return to;
}

Tensor over_mask_axis(const Plan& plan, const std::vector<Tensor>& parts) {
  const Tensor y = rows::make(plan.shape, parts[0].dtype(), plan.mask);
  const auto width = rows::inner(y);
  std::vector<Index> to;
  std::int64_t offset = 0;
  for (const auto& part : parts) {
    to.push_back(rows_of_part(plan, part, offset));
    offset += part.shape()[plan.axis];
    dispatch(y.dtype(), [&]<class T>() {
      kernels::put_rows(rows::of<T>(part).data(), to.back(), width, rows::of_mutable<T>(y).data());
    });
  }
  return record_linear(
      "concatenate", y, parts,
      [to, width, shape = plan.shape, mask = plan.mask](int k, const Tensor& g) {
        const Tensor part = rows::make_zeros(shape, g.dtype(), mask);
        dispatch_real("concatenate", g.dtype(), [&]<class T>() {
          kernels::put_rows(rows::of<T>(g).data(), to[static_cast<std::size_t>(k)], width,
                            rows::of_mutable<T>(part).data());
        });
        return part;
      },
      [to, width](const Tensor& dy, Grads& grads) {
        for (int k = 0; k < static_cast<int>(to.size()); ++k) {
          if (!grads.wants(k)) continue;
          dispatch_real("concatenate", dy.dtype(), [&]<class T>() {
            kernels::gather_add_rows(rows::of<T>(dy).data(), to[static_cast<std::size_t>(k)], width,
                                     grads.into<T>(k).data());
          });
        }
      });
}

/// A part's place in a row of the result, along an inner axis: `runs` of `count` values.
struct Piece {
  Index rows;  ///< block of the part for each row; empty: they are the same
  std::int64_t start = 0, count = 0;
};

/// The pieces of a result along an inner axis.
struct Pieces {
  std::vector<Piece> all;
  std::int64_t runs = 0, lines = 0, step = 0;  ///< in all, of a row, values from run to run

  bool empty(const Piece& piece) const { return runs * piece.count == 0; }

  template <class T>
  void put(const Piece& piece, const T* x, T* y) const {
    if (empty(piece)) return;
    Pooled<T> values(piece.rows.size() * lines * piece.count);
    if (!piece.rows.empty()) {
      kernels::gather_rows(x, piece.rows, lines * piece.count, values.data());
    }
    kernels::copy_runs(runs, piece.count, piece.rows.empty() ? x : values.data(), piece.count,
                       y + piece.start, step);
  }

  template <class T>
  void send_back(const Piece& piece, const T* dy, Grads& grads, int k) const {
    const T* from = dy + piece.start;
    if (piece.rows.empty()) {
      const auto to = grads.target<T>(k);
      const auto move = to.fresh ? kernels::copy_runs<T> : kernels::add_runs<T>;
      move(runs, piece.count, from, step, to.values, piece.count);
      return;
    }
    Pooled<T> values(runs * piece.count);
    kernels::copy_runs(runs, piece.count, from, step, values.data(), piece.count);
    kernels::put_add_rows(values.data(), piece.rows, lines * piece.count, grads.into<T>(k).data());
  }
};

Tensor over_inner_axis(const Plan& plan, const std::vector<Tensor>& parts) {
  const Tensor y = rows::make(plan.shape, parts[0].dtype(), plan.mask);
  const auto tail = plan.shape.count(plan.axis + 1, plan.shape.rank());
  Pieces pieces;
  pieces.lines = plan.shape.count(plan.mask_axes, plan.axis);
  pieces.runs = rows::count(y) * pieces.lines;
  pieces.step = plan.shape[plan.axis] * tail;
  std::int64_t start = 0;
  for (const auto& part : parts) {
    Piece piece{{}, start, part.shape()[plan.axis] * tail};
    if (plan.mask && !(part.mask() == plan.mask)) {
      piece.rows = rearrange::Blocks(part, plan.mask_axes).under(plan.mask);
    }
    start += piece.count;
    dispatch(y.dtype(), [&]<class T>() {
      pieces.put(piece, rows::of<T>(part).data(), rows::of_mutable<T>(y).data());
    });
    pieces.all.push_back(piece);
  }
  return record_linear(
      "concatenate", y, parts,
      [pieces, shape = plan.shape, mask = plan.mask](int k, const Tensor& g) {
        const Tensor part = rows::make_zeros(shape, g.dtype(), mask);
        dispatch_real("concatenate", g.dtype(), [&]<class T>() {
          pieces.put(pieces.all[static_cast<std::size_t>(k)], rows::of<T>(g).data(),
                     rows::of_mutable<T>(part).data());
        });
        return part;
      },
      [pieces](const Tensor& dy, Grads& grads) {
        for (int k = 0; k < static_cast<int>(pieces.all.size()); ++k) {
          const auto& piece = pieces.all[static_cast<std::size_t>(k)];
          if (!grads.wants(k) || pieces.empty(piece)) continue;
          dispatch_real("concatenate", dy.dtype(), [&]<class T>() {
            pieces.send_back(piece, rows::of<T>(dy).data(), grads, k);
          });
        }
      });
}

}  // namespace

Tensor concatenate(const std::vector<Tensor>& parts, int axis) {
  if (parts.empty()) {
    fail<ShapeError>("concatenate", "got no parts; expected one or more, to know the shape");
  }
  axis = normal_axis("concatenate", axis, parts[0].shape());
  const Plan plan(parts, axis);
  if (plan.meta) return rows::make_meta(plan.shape, parts[0].dtype(), plan.mask);
  return axis < plan.mask_axes ? over_mask_axis(plan, parts) : over_inner_axis(plan, parts);
}

Tensor stack(const std::vector<Tensor>& parts, int axis) {
  if (parts.empty()) {
    fail<ShapeError>("stack", "got no parts; expected one or more, to know the shape");
  }
  const int rank = parts[0].rank();
  if (axis < -rank - 1 || axis > rank) {
    fail<ShapeError>("stack", "axis {} for parts {}; expected {} to {}", axis, parts[0].describe(),
                     -rank - 1, rank);
  }
  if (axis < 0) axis += rank + 1;
  std::vector<Tensor> longer;
  for (const auto& part : parts) {
    if (part.rank() != rank || !fits(part.shape(), parts[0].shape())) {
      fail<ShapeError>("stack", "part 0 is {}, part {} is {}; expected parts of one shape",
                       parts[0].describe(), longer.size(), part.describe());
    }
    const Shape shape = part.shape().sub(0, axis) + Shape{1} + part.shape().sub(axis, rank);
    const int mask_rank = rows::mask_rank(part);
    const bool masked_axis = part.has_mask() && axis <= mask_rank;
    longer.push_back(rearrange::regroup("stack", part, shape, mask_rank + (masked_axis ? 1 : 0)));
  }
  return concatenate(longer, axis);
}

}  // namespace maskgrad
