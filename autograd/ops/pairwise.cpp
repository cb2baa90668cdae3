#include <maskgrad/autograd/ops/pairwise.hpp>

#include <algorithm>

#include <maskgrad/core/kernels/line_sums.hpp>

namespace maskgrad::pairwise {
namespace {

constexpr std::int64_t block = 512;

/// Calls f(at, n, values) for the shares of [at, end), block by block; no block crosses a run.
template <class T, class F>
void each_block(const Broadcast& plan, const Shares<T>& shares, std::int64_t at, std::int64_t end,
                F&& f) {
  T values[block];
  while (at < end) {
    const auto n = std::min({block, plan.inner - at % plan.inner, end - at});
    shares(at, n, values);
    f(at, n, static_cast<const T*>(values));
    at += n;
  }
}

template <class T>
void one_to_one(const Broadcast& plan, const Shares<T>& shares, Grads::Target<T> to) {
  kernels::over_parts(plan.outer * plan.inner, [&](std::int64_t from, std::int64_t end) {
    if (to.fresh) return shares(from, end - from, to.values + from);
    each_block(plan, shares, from, end, [&](std::int64_t at, std::int64_t n, const T* values) {
      for (std::int64_t i = 0; i < n; ++i) to.values[at + i] += values[i];
    });
  });
}

/// An input that is the same in every run (a bias): sums over the runs, in f64.
template <class T>
void sum_over_runs(const Broadcast& plan, bool flat, const Shares<T>& shares, Grads::Target<T> to) {
  // Parts are whole runs where a run has its values for itself.
  const auto all = plan.outer * plan.inner, unit = flat ? plan.inner : 1;
  const auto units = flat ? plan.outer : all, parts = kernels::line_parts(units, unit);
  const auto& lines = kernels::simd::lines<T>();
  kernels::sum_parts(parts, unit, to.values, to.fresh, [&](std::int64_t part, double* sums) {
    each_block(plan, shares, shard_begin(units, parts, part) * unit,
               shard_begin(units, parts, part + 1) * unit,
               [&](std::int64_t at, std::int64_t n, const T* values) {
                 if (flat) {
                   lines.add_sums(values, sums + at % plan.inner, n);
                 } else {
                   *sums += lines.sum(values, n);
                 }
               });
  });
}

}  // namespace

template <class T>
void collect(const Broadcast& plan, int which, const Shares<T>& shares, Grads& grads) {
  const auto& side = which == 0 ? plan.a : plan.b;
  const auto all = plan.outer * plan.inner;
  if (side.one_to_one) {
    one_to_one(plan, shares, grads.target<T>(which));
  } else if (side.repeats) {
    sum_over_runs(plan, side.flat, shares, grads.target<T>(which));
  } else {
    T* to = grads.into<T>(which).data();
    each_block(plan, shares, 0, all, [&](std::int64_t at, std::int64_t n, const T* values) {
      kernels::walk_pairs(plan, at, at + n, [=](std::int64_t i, std::int64_t ia, std::int64_t ib) {
        to[which == 0 ? ia : ib] += values[i - at];
      });
    });
  }
}

template void collect(const Broadcast&, int, const Shares<float>&, Grads&);
template void collect(const Broadcast&, int, const Shares<double>&, Grads&);

}  // namespace maskgrad::pairwise
