#pragma once

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
    Index base;               ///< [outer] where each run starts; none: all start at 0
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

/// Calls f(i, ia, ib) for every stored value i of the result, in order within a run; ia, ib are the
/// places of its inputs.
template <class F>
void for_each_pair(const Broadcast& plan, F&& f) {
  const auto n = plan.inner;
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
  if (plan.a.one_to_one && plan.b.one_to_one) {
    run(0, plan.outer * n, 0, 0);
    return;
  }
  for (std::int64_t r = 0; r < plan.outer; ++r) {
    run(r * n, n, plan.a.one_to_one ? r * n : plan.a.start(r),
        plan.b.one_to_one ? r * n : plan.b.start(r));
  }
}

}  // namespace kernels
}  // namespace maskgrad
