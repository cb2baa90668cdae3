#include <cmath>
#include <limits>

#include <maskgrad/autograd/ops/elementwise/binary.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/layers/losses/pairs.hpp>

namespace maskgrad::losses {

Tensor weighed(const Tensor& weight, const Tensor& x) {
  // An infinite x is no slope where it was not read.
  const auto to_weight = []<class T>(T dy, T w, T v) {
    if constexpr (Real<T>) {
      const bool unread = w == 0 && !(std::abs(v) <= std::numeric_limits<T>::max());
      return dy == 0 || unread ? T(0) : dy * v;
    } else {
      const Tensor read = logical_or(not_equal(w, 0), isfinite(v));
      return where(read, dy * v, binary_op::nothing(dy));
    }
  };
  const auto to_x = []<class T>(T dy, T w, T) {
    if constexpr (Real<T>) {
      return dy == 0 || w == 0 ? T(0) : dy * w;
    } else {
      return dy * w;
    }
  };
  return binary("weighed", weight, x,
                binary_op::function([]<class T>(T w, T v) { return w == 0 ? T(0) : w * v; },
                                    to_weight, to_x));
}

Tensor unless_0(const Tensor& weight, const Tensor& x) {
  using namespace binary_op;
  return binary(
      "unless_0", weight, x,
      function([]<class T>(T w, T v) { return w == 0 ? T(0) : v; },
               [](auto dy, auto, auto) { return nothing(dy); },
               [](auto dy, auto w, auto) { return choose(same(w, nothing(w)), nothing(dy), dy); }));
}

}  // namespace maskgrad::losses
