#pragma once

#include <cmath>
#include <limits>
#include <tuple>

#include <maskgrad/autograd/parameter.hpp>
#include <maskgrad/core/kernels/add_to.hpp>

namespace maskgrad {

/// One pass over a parameter's values: `rule(p, g, state...)` for each value, its gradient and its
/// values in the states, of which it changes all but g.
template <extend::Real T, class Rule, class... States>
void each_value(const Parameter& parameter, const Tensor& grad, Rule rule,
                const States&... states) {
  T* p = rows::of_mutable<T>(parameter.tensor()).data();
  const T* g = rows::of<T>(grad).data();
  const auto all = std::make_tuple(rows::of_mutable<T>(states).data()...);
  kernels::over_parts(grad.shape().count(), [=](std::int64_t from, std::int64_t to) {
    std::apply(
        [=](auto*... s) {
          for (auto k = from; k < to; ++k) rule(p[k], g[k], s[k]...);
        },
        all);
  });
}

// Written so that the compiler makes vectors of them: no division under a condition.
/// decay p, what a decay takes of a weight: nothing of an infinite one, which has nowhere to go.
/// -infinity is how a transition of a CRF is forbidden.
template <extend::Real T>
T decayed(T decay, T p) {
  return std::abs(p) <= std::numeric_limits<T>::max() ? decay * p : T(0);
}
/// a / b, and a where b is 0: a value that never had a gradient makes no step, whatever epsilon.
template <extend::Real T>
T ratio(T a, T b) {
  return a / (b > 0 ? b : T(1));
}
template <extend::Real T>
T greater_of(T a, T b) {
  return a > b ? a : b;
}

}  // namespace maskgrad
