#pragma once

#include <algorithm>
#include <string_view>

#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/rows.hpp>

namespace maskgrad {

/// How tensors meet elementwise: the result's shape (NumPy's rule), its mask (the AND of all, each
/// broadcast), and for each input where the result's values find theirs. The result is `outer` runs
/// of `inner` values; an input gives a run either `inner` values side by side, or one for all.
class Broadcast {
 public:
  /// Throws ShapeError, naming both shapes, where sizes do not fit.
  Broadcast(std::string_view op, const Tensor& a, const Tensor& b);

  struct Side {
    bool one_to_one = false;  ///< stored values in the result's order: value i is value i
    bool flat = true;         ///< a run takes values side by side; else one for all
    bool repeats = false;     ///< every run takes the same values
    extend::Index base;       ///< [outer] where each run starts; none: all start at 0
    std::int64_t start(std::int64_t run) const { return base.empty() ? 0 : base[run]; }
  };

  Shape shape;
  Mask mask;
  std::int64_t outer = 1, inner = 1;
  Side a, b;

 private:
  void split();
  Side side(const Tensor& x) const;

  const Tensor* inputs_[2];
  int split_ = 0;  // axes before it are runs
};

namespace kernels {

/// Calls f(i, ia, ib) for the stored values [from, to) of the result, in order; ia, ib are the
/// places of its inputs.
template <class F>
void walk_pairs(const Broadcast& plan, std::int64_t from, std::int64_t to, F&& f) {
  auto run = [&](std::int64_t at, std::int64_t count, std::int64_t ia, std::int64_t ib) {
    if (plan.a.flat && plan.b.flat) {
      for (std::int64_t i = 0; i < count; ++i) f(at + i, ia + i, ib + i);
    } else if (plan.a.flat) {
      for (std::int64_t i = 0; i < count; ++i) f(at + i, ia + i, ib);
    } else if (plan.b.flat) {
      for (std::int64_t i = 0; i < count; ++i) f(at + i, ia, ib + i);
    } else {
      for (std::int64_t i = 0; i < count; ++i) f(at + i, ia, ib);
    }
  };
  if (from == to) return;
  if (plan.a.one_to_one && plan.b.one_to_one) {
    run(from, to - from, from, from);
    return;
  }
  const auto place = [&](const Broadcast::Side& side, std::int64_t r, std::int64_t inside) {
    return (side.one_to_one ? r * plan.inner : side.start(r)) + (side.flat ? inside : 0);
  };
  auto r = from / plan.inner, inside = from % plan.inner;
  while (from < to) {
    const auto count = std::min(plan.inner - inside, to - from);
    run(from, count, place(plan.a, r, inside), place(plan.b, r, inside));
    from += count, ++r, inside = 0;
  }
}

/// The same for all of them, in parts that threads share: f may write at i alone.
template <class F>
void over_pairs(const Broadcast& plan, F&& f) {
  over_parts(plan.outer * plan.inner,
             [&](std::int64_t from, std::int64_t to) { walk_pairs(plan, from, to, f); });
}

}  // namespace kernels
}  // namespace maskgrad
