#include <maskgrad/autograd/ops/shape/rearrange.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace maskgrad::rearrange {

Blocks::Blocks(const Tensor& x, int axes)
    : mask_(x.mask()),
      rows_(rows::count(x)),
      tail_(x.shape().count(rows::mask_rank(x), axes)),
      width_(x.shape().count(axes, x.rank())) {}

Index Blocks::under(const Mask& mask) const {
  const auto& positions = mask.impl().positions;
  Index blocks(positions.size());
  for (std::int64_t r = 0; r < positions.size(); ++r) blocks[r] = at(positions[r]);
  return blocks;
}

Mask extended(const Tensor& x, const Shape& shape, int axes) {
  if (!x.has_mask()) return {};
  Shape own = x.mask().shape();
  if (own.rank() == axes) return x.mask();
  while (own.rank() < axes) own.push_back(1);
  return masks::broadcast(masks::reshape(x.mask(), own), shape.sub(0, axes));
}

std::string position_of(const Tensor& x, std::int64_t at) {
  const auto inner = rows::inner(x);
  const auto row = x.has_mask() ? x.mask().impl().positions[at / inner] : 0;
  auto flat = row * inner + at % inner;
  std::array<std::int64_t, Shape::max_rank> index{};
  for (int i = x.rank() - 1; i >= 0; --i) {
    index[static_cast<std::size_t>(i)] = flat % x.shape()[i];
    flat /= x.shape()[i];
  }
  return fmt::format("[{}]", fmt::join(index.begin(), index.begin() + x.rank(), ", "));
}

Index row_map(const Mask& from, const Mask& to, const Strides& strides, std::int64_t offset) {
  const Shape& shape = to.shape();
  const auto& row_of = from.impl().row_of();
  const auto& positions = to.impl().positions;
  Index map(positions.size());
  for (std::int64_t r = 0; r < positions.size(); ++r) {
    auto left = positions[r], at = offset;
    for (int i = shape.rank() - 1; i >= 0; --i) {
      at += left % shape[i] * strides[static_cast<std::size_t>(i)];
      left /= shape[i];
    }
    map[r] = row_of[at];
  }
  return map;
}

namespace {

template <class T>
T fill_as(std::string_view op, double fill) {
  if constexpr (std::is_same_v<T, std::int64_t>) {
    if (!(fill >= -0x1p63 && fill < 0x1p63)) {
      fail<TypeError>(op, "the fill {} for i64; expected a number that i64 can hold", fill);
    }
  }
  return static_cast<T>(fill);
}

/// Whether each row of x is taken, where none may be taken twice.
bool takes_all(const Index& from, const Tensor& x) {
  return from.size() == rows::count(x) && std::find(from.begin(), from.end(), -1) == from.end();
}

}  // namespace

Tensor take_rows(std::string_view op, const Tensor& x, const Index& from, const Shape& shape,
                 const Mask& mask, double fill) {
  const auto width = rows::inner(x);
  const auto taken = [=](const Tensor& values, double instead) {
    const Tensor y = rows::make(shape, values.dtype(), mask);
    dispatch(values.dtype(), [&]<class T>() {
      kernels::gather_rows(rows::of<T>(values).data(), from, width, rows::of_mutable<T>(y).data(),
                           fill_as<T>(op, instead));
    });
    return y;
  };
  return record_linear(
      op, taken(x, fill), {x}, [taken](const Tensor& g) { return taken(g, 0); },
      [op, from, width, all = takes_all(from, x)](const Tensor& dy, Grads& grads) {
        dispatch_real(op, dy.dtype(), [&]<class T>() {
          const T* share = rows::of<T>(dy).data();
          if (!all) return kernels::put_add_rows(share, from, width, grads.into<T>(0).data());
          const auto target = grads.target<T>(0);
          if (target.fresh) {
            kernels::put_rows(share, from, width, target.values);
          } else {
            kernels::put_add_rows(share, from, width, target.values);
          }
        });
      });
}

namespace {

struct Regrouping {
  Shape after, before;
  Mask mask_after, mask_before;

  Tensor operator()(const Tensor& g) const { return rows::share(g, after, mask_after); }
  void operator()(const Tensor& dy, Grads& grads) const {
    grads.add(0, rows::share(dy, before, mask_before));
  }
};

}  // namespace

Tensor regroup(std::string_view op, const Tensor& x, const Shape& shape, int mask_rank) {
  Mask mask = x.mask();
  const Shape mask_shape = shape.sub(0, mask_rank);
  if (mask && mask.shape() != mask_shape) mask = masks::reshape(mask, mask_shape);
  return regroup(op, x, shape, mask);
}

Tensor regroup(std::string_view op, const Tensor& x, const Shape& shape, const Mask& mask) {
  if (x.is_meta()) return rows::make_meta(shape, x.dtype(), mask);
  return record_linear(op, rows::share(x, shape, mask), {x},
                       Regrouping{shape, x.shape(), mask, x.mask()});
}

kernels::Strided inner_view(const Tensor& x) {
  const Shape shape = rows::inner_shape(x);
  return {shape, strides_of(shape), 0};
}

Tensor take_inner(std::string_view op, const Tensor& x, const kernels::Strided& view,
                  const Shape& inner) {
  const Shape outer = x.has_mask() ? x.mask().shape() : Shape{};
  const kernels::StridedRuns runs(view, rows::count(x), rows::inner(x));
  const auto taken = [runs, shape = outer + inner](const Tensor& values) {
    const Tensor y = rows::make(shape, values.dtype(), values.mask());
    dispatch(values.dtype(), [&]<class T>() {
      kernels::read_strided(runs, rows::of<T>(values).data(), rows::of_mutable<T>(y).data());
    });
    return y;
  };
  // A view without a stride of 0 that has as many places as x has each once.
  const auto none = std::find(view.strides.begin(), view.strides.begin() + inner.rank(), 0);
  const bool all = rows::inner(x) == inner.count() && none == view.strides.begin() + inner.rank();
  return record_linear(op, taken(x), {x}, taken, [op, runs, all](const Tensor& dy, Grads& grads) {
    dispatch_real(op, dy.dtype(), [&]<class T>() {
      const T* share = rows::of<T>(dy).data();
      if (!all) return kernels::add_strided(runs, share, grads.into<T>(0).data());
      const auto target = grads.target<T>(0);
      if (target.fresh) {
        kernels::write_strided(runs, share, target.values);
      } else {
        kernels::add_strided(runs, share, target.values);
      }
    });
  });
}

namespace {

/// An axis before and after: [outer, size, tail] in both.
struct Lines {
  std::int64_t outer = 1, before = 0, after = 0, tail = 1;
};

}  // namespace

Tensor take_bands(std::string_view op, const Tensor& x, int axis, std::int64_t size,
                  std::array<Band, 2> parts, double fill) {
  Shape shape = x.shape();
  shape[axis] = size;
  const int mask_rank = rows::mask_rank(x);
  const Lines at{rows::count(x) * shape.count(mask_rank, axis), x.shape()[axis], size,
                 shape.count(axis + 1, shape.rank())};
  const auto taken = [=](const Tensor& values, double instead) {
    const Tensor y = rows::make(shape, values.dtype(), values.mask());
    dispatch(values.dtype(), [&]<class T>() {
      const auto* from = rows::of<T>(values).data();
      const auto to = rows::of_mutable<T>(y);
      if (parts[0].size + parts[1].size < size) {
        std::fill(to.begin(), to.end(), fill_as<T>(op, instead));
      }
      for (const auto& part : parts) {
        if (part.size * at.outer * at.tail == 0) continue;
        kernels::copy_runs(at.outer, part.size * at.tail, from + part.from * at.tail,
                           at.before * at.tail, to.data() + part.to * at.tail, at.after * at.tail);
      }
    });
    return y;
  };
  return record_linear(
      op, taken(x, fill), {x}, [taken](const Tensor& g) { return taken(g, 0); },
      [op, at, parts](const Tensor& dy, Grads& grads) {
        dispatch_real(op, dy.dtype(), [&]<class T>() {
          const auto* from = rows::of<T>(dy).data();
          auto* to = grads.into<T>(0).data();
          for (const auto& part : parts) {
            if (part.size * at.outer * at.tail == 0) continue;
            kernels::add_runs(at.outer, part.size * at.tail, from + part.to * at.tail,
                              at.after * at.tail, to + part.from * at.tail, at.before * at.tail);
          }
        });
      });
}

}  // namespace maskgrad::rearrange
