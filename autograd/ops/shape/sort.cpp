#include <maskgrad/autograd/ops/shape/sort.hpp>

#include <numeric>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/core/kernels/add_to.hpp>

namespace maskgrad {
namespace {

void check_last(std::string_view op, const Tensor& x) {
  check::numeric(op, x);
  check::inner_axis(op, x, -1, "a sequence cannot be sorted; sort an inner axis");
}

/// Puts the indices of the first k of n values, in order, into `to`; `indices` has room for n.
template <class T>
void ordered(const T* x, std::int64_t n, std::int64_t k, bool falling, std::int64_t* indices,
             std::int64_t* to) {
  const auto before = [=](std::int64_t i, std::int64_t j) {
    const T a = x[i], b = x[j];
    const bool above = a > b || (a != a && b == b), below = a < b || (b != b && a == a);
    return falling ? above || (!below && i < j) : below || (!above && i < j);
  };
  std::iota(indices, indices + n, std::int64_t{0});
  if (k == n) {
    std::sort(indices, indices + n, before);
  } else {
    std::partial_sort(indices, indices + k, indices + n, before);
  }
  std::copy_n(indices, k, to);
}

/// Calls f(from, to) for parts of the lines along the last axis.
template <class F>
void over_lines(std::int64_t lines, std::int64_t n, F&& f) {
  const auto shards = std::min(lines, shard_count(lines * n, kernels::elementwise_grain / 8));
  parallel_for(shards, [&](std::int64_t s) {
    const auto end = shard_begin(lines, shards, s + 1);
    f(shard_begin(lines, shards, s), end);
  });
}

std::int64_t lines_of(const Tensor& x) {
  return rows::count(x) * x.shape().count(rows::mask_rank(x), x.rank() - 1);
}

Shape with_last(Shape shape, std::int64_t size) {
  shape[shape.rank() - 1] = size;
  return shape;
}

Tensor indices_of(const Tensor& x, std::int64_t k, bool falling) {
  const auto n = x.shape().back();
  Tensor y = rows::make(with_last(x.shape(), k), DType::i64, x.mask());
  std::int64_t* to = rows::of_mutable<std::int64_t>(y).data();
  dispatch(x.dtype(), [&]<class T>() {
    const T* from = rows::of<T>(x).data();
    over_lines(lines_of(x), n, [=](std::int64_t line, std::int64_t end) {
      Index indices(n);
      for (; line < end; ++line) {
        ordered(from + line * n, n, k, falling, indices.data(), to + line * k);
      }
    });
  });
  return y;
}

/// The values at `indices`, recorded.
Tensor taken(std::string_view op, const Tensor& x, const Tensor& indices) {
  const auto n = x.shape().back(), k = indices.shape().back(), lines = lines_of(x);
  const auto taken_of = [=, mask = x.mask()](const Tensor& values) {
    const Tensor y = rows::make(indices.shape(), values.dtype(), mask);
    dispatch(values.dtype(), [&]<class T>() {
      const T* from = rows::of<T>(values).data();
      const std::int64_t* index = rows::of<std::int64_t>(indices).data();
      T* to = rows::of_mutable<T>(y).data();
      for (std::int64_t line = 0; line < lines; ++line) {
        for (auto i = line * k; i < (line + 1) * k; ++i) to[i] = from[line * n + index[i]];
      }
    });
    return y;
  };
  return record_linear(op, taken_of(x), {x}, taken_of, [=](const Tensor& dy, Grads& grads) {
    dispatch_real("backward", dy.dtype(), [&]<class T>() {
      const std::int64_t* index = rows::of<std::int64_t>(indices).data();
      const T* from = rows::of<T>(dy).data();
      T* to = grads.into<T>(0).data();
      for (std::int64_t line = 0; line < lines; ++line) {
        for (auto i = line * k; i < (line + 1) * k; ++i) to[line * n + index[i]] += from[i];
      }
    });
  });
}

}  // namespace

Tensor sort(const Tensor& x, bool descending) {
  check_last("sort", x);
  if (x.is_meta()) return rows::make_meta(x.shape(), x.dtype(), x.mask());
  return taken("sort", x, indices_of(x, x.shape().back(), descending));
}

Tensor argsort(const Tensor& x, bool descending) {
  check_last("argsort", x);
  if (x.is_meta()) return rows::make_meta(x.shape(), DType::i64, x.mask());
  return indices_of(x, x.shape().back(), descending);
}

TopKResult top_k(const Tensor& x, std::int64_t k) {
  check_last("top_k", x);
  const auto n = x.shape().back();
  if (k < 0 || (n != any && k > n)) {
    fail<ShapeError>("top_k", "k is {} and the last axis of {} has {} values; expected 0 to {}", k,
                     x.describe(), n, n);
  }
  if (x.is_meta()) {
    const Shape shape = with_last(x.shape(), k);
    return {rows::make_meta(shape, x.dtype(), x.mask()),
            rows::make_meta(shape, DType::i64, x.mask())};
  }
  const Tensor indices = indices_of(x, k, true);
  return {taken("top_k", x, indices), indices};
}

}  // namespace maskgrad
