#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>

#include <maskgrad/autograd/broadcast.hpp>
#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/core/kernels/line_sums.hpp>

/// What operations on two tensors, value by value, are made of. An operation is a type with
/// `value(a, b)`, and `da(dy, a, b)` and `db(dy, a, b)`: what of dy goes to a and to b; `reads`
/// where that needs a and b. `passes`, where it has that, says of a and b whether it is dy itself.
namespace maskgrad::pairwise {

template <class Op>
Tensor forward(const Broadcast& plan, const Tensor& a, const Tensor& b) {
  Tensor y = rows::make(plan.shape, a.dtype(), plan.mask);
  dispatch(a.dtype(), [&]<class T>() {
    if constexpr (!std::is_same_v<T, bool>) {
      const T *pa = rows::of<T>(a).data(), *pb = rows::of<T>(b).data();
      T* py = rows::of_mutable<T>(y).data();
      kernels::over_pairs(plan, [=](std::int64_t i, std::int64_t ia, std::int64_t ib) {
        py[i] = Op::template value<T>(pa[ia], pb[ib]);
      });
    }
  });
  return y;
}

/// Whether dy itself goes to input `which`.
template <class Op, int which>
constexpr bool passes() {
  if constexpr (requires { Op::passes; }) return Op::passes[which];
  return false;
}

/// What of dy goes to one input, value by value of the result.
template <class Op, int which, class T>
struct Share {
  const T *dy, *a, *b;  // null where not read
  T operator()(std::int64_t i, std::int64_t ia, std::int64_t ib) const {
    const T x = Op::reads ? a[ia] : T(0), z = Op::reads ? b[ib] : T(0);
    return which == 0 ? Op::template da<T>(dy[i], x, z) : Op::template db<T>(dy[i], x, z);
  }
};

/// The gradient of an input that is the same in every run: sums over the runs, in f64.
template <class Op, int which, class T>
void sum_over_runs(const Broadcast& plan, const Share<Op, which, T>& share, Grads::Target<T> to) {
  constexpr std::int64_t block = 512;
  const bool flat = (which == 0 ? plan.a : plan.b).flat;
  if (flat && passes<Op, which>()) {  // a bias
    return kernels::sum_lines(share.dy, plan.outer, plan.inner, to.values, to.fresh);
  }
  // Parts are whole runs where a run has its values for itself.
  const auto all = plan.outer * plan.inner, unit = flat ? plan.inner : 1;
  const auto units = flat ? plan.outer : all, parts = kernels::line_parts(units, unit);
  const auto& lines = kernels::simd::lines<T>();
  kernels::sum_parts(parts, unit, to.values, to.fresh, [&](std::int64_t part, double* sums) {
    const auto end = shard_begin(units, parts, part + 1) * unit;
    for (auto at = shard_begin(units, parts, part) * unit; at < end;) {
      const auto inside = at % plan.inner;
      const auto n = std::min({block, plan.inner - inside, end - at});
      T values[block];
      kernels::walk_pairs(plan, at, at + n, [&](std::int64_t i, std::int64_t ia, std::int64_t ib) {
        values[i - at] = share(i, ia, ib);
      });
      if (flat) {
        lines.add_sums(values, sums + inside, n);
      } else {
        *sums += lines.sum(values, n);
      }
      at += n;
    }
  });
}

/// Adds what goes to input `which` to its gradient. A tensor without values stands for one that is
/// not read.
template <class Op, int which>
void backward(const Broadcast& plan, const Tensor& dy, const Tensor* a, const Tensor* b,
              Grads& grads) {
  if (!grads.wants(which)) return;
  const auto& side = which == 0 ? plan.a : plan.b;
  if (side.one_to_one && passes<Op, which>()) {
    grads.add(which, dy);
    return;
  }
  dispatch_real("backward", dy.dtype(), [&]<class T>() {
    const Share<Op, which, T> share{rows::of<T>(dy).data(), a ? rows::of<T>(*a).data() : nullptr,
                                    b ? rows::of<T>(*b).data() : nullptr};
    if (side.one_to_one) {
      const auto to = grads.target<T>(which);
      kernels::over_pairs(plan, [=](std::int64_t i, std::int64_t ia, std::int64_t ib) {
        const T d = share(i, ia, ib);
        to.values[i] = to.fresh ? d : to.values[i] + d;
      });
    } else if (side.repeats) {
      sum_over_runs<Op, which, T>(plan, share, grads.target<T>(which));
    } else {
      T* to = grads.into<T>(which).data();
      kernels::for_each_pair(plan, [=](std::int64_t i, std::int64_t ia, std::int64_t ib) {
        to[which == 0 ? ia : ib] += share(i, ia, ib);
      });
    }
  });
}

template <class Op>
Tensor binary(std::string_view name, const Tensor& a, const Tensor& b) {
  check::numeric(name, a);
  check::same_dtype(name, a, b);
  const Broadcast plan(name, a, b);
  if (a.is_meta() || b.is_meta()) return rows::make_meta(plan.shape, a.dtype(), plan.mask);
  const Tensor y = forward<Op>(plan, a, b);
  if constexpr (Op::reads) {
    return record(name, y, {a, b},
                  [plan, a = Saved(a), b = Saved(b)](const Tensor& dy, Grads& grads) {
                    backward<Op, 0>(plan, dy, &a.get(), &b.get(), grads);
                    backward<Op, 1>(plan, dy, &a.get(), &b.get(), grads);
                  });
  } else {
    return record(name, y, {a, b}, [plan](const Tensor& dy, Grads& grads) {
      backward<Op, 0>(plan, dy, nullptr, nullptr, grads);
      backward<Op, 1>(plan, dy, nullptr, nullptr, grads);
    });
  }
}

/// A number in the type of `like`. TypeError where that is i64 and the number is not whole.
inline Tensor number(std::string_view name, double value, const Tensor& like) {
  if (like.dtype() == DType::i64 && value != std::floor(value)) {
    fail<TypeError>(name, "the number {} with {}; expected a whole one. Use cast(x, DType::f32)",
                    value, like.describe());
  }
  return scalar(value, like.dtype());
}

}  // namespace maskgrad::pairwise
