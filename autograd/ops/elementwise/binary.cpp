#include <maskgrad/autograd/ops/elementwise/binary.hpp>

#include <algorithm>

#include <maskgrad/core/kernels/line_sums.hpp>

namespace maskgrad::binary_op {
namespace {

constexpr std::int64_t block = 512;

template <class T>
using Target = Grads::Target<T>;

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
void one_to_one(const Broadcast& plan, const Shares<T>& shares, Target<T> to) {
  kernels::over_parts(plan.outer * plan.inner, [&](std::int64_t from, std::int64_t end) {
    if (to.fresh) return shares(from, end - from, to.values + from);
    each_block(plan, shares, from, end, [&](std::int64_t at, std::int64_t n, const T* values) {
      for (std::int64_t i = 0; i < n; ++i) to.values[at + i] += values[i];
    });
  });
}

/// An input that is the same in every run (a bias): sums over the runs, in f64.
template <class T>
void sum_over_runs(const Broadcast& plan, bool flat, const Shares<T>& shares, Target<T> to) {
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

/// An input whose values each go to some of the runs. Threads share the runs where those that take
/// the same values stand together, so that each value has one sum, in one order.
template <class T>
void sum_over_groups(const Broadcast& plan, const Broadcast::Side& side, const Shares<T>& shares,
                     T* to) {
  const auto grouped = std::is_sorted(side.base.begin(), side.base.end());
  const auto parts = grouped ? shard_count(plan.outer * plan.inner, kernels::elementwise_grain) : 1;
  const auto begin_of = [&](std::int64_t part) {
    auto run = shard_begin(plan.outer, parts, part);
    while (run > 0 && run < plan.outer && side.start(run) == side.start(run - 1)) ++run;
    return run * plan.inner;
  };
  parallel_for(parts, [&](std::int64_t part) {
    each_block(plan, shares, begin_of(part), begin_of(part + 1),
               [&](std::int64_t at, std::int64_t n, const T* values) {
                 const auto run = at / plan.inner, first = side.flat ? at % plan.inner : 0;
                 T* sums = to + side.start(run) + first;
                 for (std::int64_t i = 0; i < n; ++i) sums[side.flat ? i : 0] += values[i];
               });
  });
}

}  // namespace

template <class T>
void collect(const Broadcast& plan, const Broadcast::Side& side, const Shares<T>& shares,
             tape::Slot& slot) {
  bool fresh = false;
  if (!side.one_to_one && !side.repeats) {
    return sum_over_groups(plan, side, shares, rows::of_mutable<T>(slot.own()).data());
  }
  T* values = rows::of_mutable<T>(slot.own(fresh)).data();
  if (side.one_to_one) {
    one_to_one<T>(plan, shares, {values, fresh});
  } else {
    sum_over_runs<T>(plan, side.flat, shares, {values, fresh});
  }
}

template void collect(const Broadcast&, const Broadcast::Side&, const Shares<float>&, tape::Slot&);
template void collect(const Broadcast&, const Broadcast::Side&, const Shares<double>&, tape::Slot&);

namespace {

/// The sum of `share` for an input.
Tensor sum_for(const Broadcast& plan, const Broadcast::Side& side, const Tensor& share,
               tape::Slot slot) {
  dispatch_real("backward", share.dtype(), [&]<class T>() {
    const T* from = rows::of<T>(share).data();
    collect<T>(
        plan, side, [=](std::int64_t at, std::int64_t n, T* to) { std::copy_n(from + at, n, to); },
        slot);
  });
  return slot.own();
}

/// An input's values at each place of the result.
Tensor spread(const Broadcast& plan, const Broadcast::Side& side, const Tensor& x) {
  const Tensor y = rows::make(plan.shape, x.dtype(), plan.mask);
  const bool first = &side == &plan.a;
  dispatch_real("backward", x.dtype(), [&]<class T>() {
    const T* from = rows::of<T>(x).data();
    T* to = rows::of_mutable<T>(y).data();
    kernels::over_pairs(plan, [=](std::int64_t i, std::int64_t ia, std::int64_t ib) {
      to[i] = from[first ? ia : ib];
    });
  });
  return y;
}

}  // namespace

Tensor collected(std::string_view op, const Broadcast& plan, const Broadcast::Side& side,
                 const Tensor& share, const tape::Slot& slot) {
  const bool first = &side == &plan.a;
  return record_linear(
      op, sum_for(plan, side, share, slot), {share},
      [plan, first, slot](const Tensor& g) {
        return sum_for(plan, first ? plan.a : plan.b, g, slot);
      },
      [plan, first](const Tensor& dy, Grads& grads) {
        grads.add(0, spread(plan, first ? plan.a : plan.b, dy));
      });
}

}  // namespace maskgrad::binary_op
