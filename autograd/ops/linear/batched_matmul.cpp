#include <maskgrad/autograd/ops/linear/batched_matmul.hpp>

#include <algorithm>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/binary.hpp>
#include <maskgrad/autograd/plans/broadcast.hpp>
#include <maskgrad/core/kernels/selected.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view batched_matmul_op = "batched_matmul";
constexpr auto left = kernels::Selects::left, right = kernels::Selects::right;
/// Least multiplications for which a thread of its own pays.
constexpr std::int64_t product_grain = 1 << 19;

/// The sizes of a call: a is [m, k], b [k, n], as they are read.
struct Sizes {
  std::int64_t m, n, k;
  bool transpose_a, transpose_b;
};

Shape lead_of(const Tensor& x) {
  return x.shape().sub(0, x.rank() - 2);
}

void check_matrices(const Tensor& x, const Tensor& other) {
  if (!x.has_mask() || x.mask().rank() <= x.rank() - 2) return;
  fail<MaskError>(batched_matmul_op,
                  "{} with {}: the mask covers an axis of the matrices, which would be paired or "
                  "summed over missing values; expected a mask over leading axes alone. For two "
                  "masked sequences use attention(q, k, v), for rows by a matrix matmul(x, w), or "
                  "end the mask with x.drop_mask(\"why\")",
                  x.describe(), other.describe());
}

bool broadcasts(const Shape& a, const Shape& b) {
  for (int i = 1; i <= std::min(a.rank(), b.rank()); ++i) {
    const auto x = a[a.rank() - i], y = b[b.rank() - i];
    if (!fits(x, y) && x != 1 && y != 1) return false;
  }
  return true;
}

Sizes infer(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b) {
  check::real(batched_matmul_op, a);
  check::same_dtype(batched_matmul_op, a, b);
  const auto size = [](const Tensor& x, int axis) { return x.shape()[x.rank() - axis]; };
  const bool matrices = a.rank() >= 2 && b.rank() >= 2;
  if (!matrices || !fits(size(a, transpose_a ? 2 : 1), size(b, transpose_b ? 1 : 2)) ||
      !broadcasts(lead_of(a), lead_of(b))) {
    fail<ShapeError>(batched_matmul_op,
                     "{}{} times {}{}; expected a [..., m, k] and b [..., k, n] with the same k, "
                     "and leading axes of the same sizes, or 1",
                     a.describe(), transpose_a ? " transposed" : "", b.describe(),
                     transpose_b ? " transposed" : "");
  }
  check_matrices(a, b);
  check_matrices(b, a);
  return {size(a, transpose_a ? 1 : 2), size(b, transpose_b ? 2 : 1), size(a, transpose_a ? 2 : 1),
          transpose_a, transpose_b};
}

/// A tensor of the leading axes, one value a matrix, to broadcast; its values are never read.
Tensor one_a_matrix(const Tensor& x) {
  return x.is_meta() ? rows::make_meta(lead_of(x), DType::boolean, x.mask())
                     : rows::make(lead_of(x), DType::boolean, x.mask());
}

/// Which matrices of a and b each product takes; `once`: none takes part in two.
struct Products {
  Index a, b;
  bool a_once, b_once;

  std::int64_t count() const { return a.size(); }
};

Products products_of(const Broadcast& plan) {
  const auto count = plan.outer * plan.inner;
  Products p{Index(count), Index(count), plan.a.one_to_one, plan.b.one_to_one};
  kernels::over_pairs(plan, [&](std::int64_t i, std::int64_t ia, std::int64_t ib) {
    p.a[i] = ia;
    p.b[i] = ib;
  });
  return p;
}

/// Rows by one matrix are one product.
void merge(Products& p, Sizes& s, std::int64_t matrices_b) {
  if (matrices_b != 1 || !p.a_once || s.transpose_a || p.count() < 2) return;
  s.m *= p.count();
  p = {Index(1), Index(1), true, true};
  p.a[0] = p.b[0] = 0;
}

/// Calls f(product); over threads where each writes what no other does.
template <class F>
void each_product(const Products& p, const Sizes& s, bool apart, F&& f) {
  const auto shards =
      apart ? std::min(p.count(), shard_count(p.count() * s.m * s.n * s.k, product_grain)) : 1;
  parallel_for(shards, [&](std::int64_t shard) {
    const auto end = shard_begin(p.count(), shards, shard + 1);
    for (auto i = shard_begin(p.count(), shards, shard); i < end; ++i) f(i);
  });
}

template <class T>
struct Matrices {
  const Products& p;
  const Sizes& s;
  const T *a, *b;

  /// Matrix i's a and b as they are read, or transposed once more.
  kernels::Matrix<T> a_of(std::int64_t i, bool turn = false) const {
    return {a + p.a[i] * s.m * s.k, s.transpose_a ? s.m : s.k, s.transpose_a != turn};
  }
  kernels::Matrix<T> b_of(std::int64_t i, bool turn = false) const {
    return {b + p.b[i] * s.k * s.n, s.transpose_b ? s.k : s.n, s.transpose_b != turn};
  }

  void forward(T* y) const {
    each_product(p, s, true, [&](std::int64_t i) {
      kernels::gemm<T>(s.m, s.n, s.k, a_of(i), b_of(i), y + i * s.m * s.n, false);
    });
  }
  void backward_a(const T* dy, T* da) const {
    each_product(p, s, p.a_once, [&](std::int64_t i) {
      const T* d = dy + i * s.m * s.n;
      T* to = da + p.a[i] * s.m * s.k;
      if (s.transpose_a) {
        kernels::gemm_selected<T>(s.k, s.m, s.n, right, b_of(i), {d, s.n, true}, to, true);
      } else {
        kernels::gemm_selected<T>(s.m, s.k, s.n, left, {d, s.n}, b_of(i, true), to, true);
      }
    });
  }
  void backward_b(const T* dy, T* db) const {
    each_product(p, s, p.b_once, [&](std::int64_t i) {
      const T* d = dy + i * s.m * s.n;
      T* to = db + p.b[i] * s.k * s.n;
      if (s.transpose_b) {
        kernels::gemm_selected<T>(s.n, s.k, s.m, left, {d, s.n, true}, a_of(i), to, true);
      } else {
        kernels::gemm_selected<T>(s.k, s.n, s.m, right, a_of(i, true), {d, s.n}, to, true);
      }
    });
  }
};

/// The gradients of all products added up for the matrices that they were made of.
void tell(int which, const Tensor& x, const Tensor& gradients, Adjoint& grads) {
  const Broadcast plan(batched_matmul_op, x, gradients);
  grads.add(which,
            binary_op::collected(batched_matmul_op, plan, plan.a, gradients, grads.layout(which)));
}

}  // namespace

Tensor batched_matmul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b) {
  Sizes sizes = infer(a, b, transpose_a, transpose_b);
  const Tensor lead_a = one_a_matrix(a), lead_b = one_a_matrix(b);
  const Broadcast plan(batched_matmul_op, lead_a, lead_b);
  const Shape shape = plan.shape + Shape{sizes.m, sizes.n};
  if (a.is_meta() || b.is_meta()) return rows::make_meta(shape, a.dtype(), plan.mask);
  Products products = products_of(plan);
  merge(products, sizes, rows::total(lead_b));
  const Tensor y = rows::make(shape, a.dtype(), plan.mask);
  dispatch_real(batched_matmul_op, a.dtype(), [&]<class T>() {
    Matrices<T>{products, sizes, rows::of<T>(a).data(), rows::of<T>(b).data()}.forward(
        rows::of_mutable<T>(y).data());
  });
  const bool ta = transpose_a, tb = transpose_b;
  return record(
      batched_matmul_op, y, {a, b},
      [products, sizes, ta, tb, a = Saved(a), b = Saved(b)](const Tensor& dy, auto& grads) {
        if constexpr (is_adjoint<decltype(grads)>) {
          const Tensor x = grads.input(0, a), z = grads.input(1, b);
          if (grads.wants(0)) {
            tell(0, x, ta ? batched_matmul(z, dy, tb, true) : batched_matmul(dy, z, false, !tb),
                 grads);
          }
          if (grads.wants(1)) {
            tell(1, z, tb ? batched_matmul(dy, x, true, ta) : batched_matmul(x, dy, !ta, false),
                 grads);
          }
        } else {
          dispatch_real(batched_matmul_op, dy.dtype(), [&]<class T>() {
            const Matrices<T> matrices{products, sizes, rows::of<T>(a.get()).data(),
                                       rows::of<T>(b.get()).data()};
            const T* d = rows::of<T>(dy).data();
            if (grads.wants(0)) matrices.backward_a(d, grads.template into<T>(0).data());
            if (grads.wants(1)) matrices.backward_b(d, grads.template into<T>(1).data());
          });
        }
      });
}

}  // namespace maskgrad
