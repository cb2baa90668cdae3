#include <cmath>

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/binary.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/elementwise/unary.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>

// The activation functions made of parts; the smooth ones are in activations.cpp.

namespace maskgrad {

Tensor relu(const Tensor& x) {
  return unary("relu", x,
               unary_op::bent_of_result([]<class T>(T v) { return v < 0 ? T(0) : v; },
                                        []<class T>(T y) { return y > 0 ? T(1) : T(0); }));
}

namespace {

Tensor shaped_relu(std::string_view op, const Tensor& x, const ReluShape& o) {
  const auto value = [o]<class T>(T v) {
    const T below = o.negative_slope == 0 ? T(0) : T(o.negative_slope) * (v - T(o.threshold));
    return v >= T(o.max_value) ? T(o.max_value) : (v < T(o.threshold) ? below : v);
  };
  const auto slope = [o]<class T>(T v) {
    return v >= T(o.max_value) ? T(0) : (v > T(o.threshold) ? T(1) : T(o.negative_slope));
  };
  return unary(op, x, unary_op::bent(value, slope));
}

}  // namespace

Tensor relu(const Tensor& x, const ReluShape& options) {
  if (!(options.max_value >= options.threshold)) {
    fail<OptionError>("relu", "max_value is {} and threshold {}; expected threshold <= max_value",
                      options.max_value, options.threshold);
  }
  return shaped_relu("relu", x, options);
}
Tensor relu6(const Tensor& x) {
  return shaped_relu("relu6", x, {.max_value = 6});
}
Tensor leaky_relu(const Tensor& x, double negative_slope) {
  return shaped_relu("leaky_relu", x, {.negative_slope = negative_slope});
}
Tensor leaky_relu(const Tensor& x) {
  return leaky_relu(x, 0.2);
}

Tensor prelu(const Tensor& x, const Tensor& alpha) {
  using namespace binary_op;
  // Both sides are computed, so that nothing branches.
  return binary("prelu", x, alpha,
                function(
                    [](auto v, auto slope) {
                      const auto below = slope * v;
                      return v > 0 ? v : below;
                    },
                    [](auto dy, auto v, auto slope) {
                      const auto below = dy * slope;
                      return choose(above(v, nothing(v)), dy, below);
                    },
                    [](auto dy, auto v, auto) {
                      const auto below = dy * v;
                      return choose(above(v, nothing(v)), nothing(dy), below);
                    }));
}

Tensor hard_sigmoid(const Tensor& x) {
  return unary(
      "hard_sigmoid", x,
      unary_op::bent([]<class T>(T v) { return v <= -3 ? T(0) : (v >= 3 ? T(1) : (v + 3) / 6); },
                     []<class T>(T v) { return v > -3 && v < 3 ? T(1) / 6 : T(0); }));
}

Tensor hard_silu(const Tensor& x) {
  const auto value = []<class T>(T v) { return v <= -3 ? T(0) : (v >= 3 ? v : v * (v + 3) / 6); };
  const auto slopes = []<class T>(const T* v, T* s, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      s[i] = v[i] <= -3 ? T(0) : (v[i] > 3 ? T(1) : (2 * v[i] + 3) / 6);
    }
  };
  const auto slope = [](const Tensor& v) {
    const Tensor above = where(greater(v, 3), scalar(1, v.dtype()), (2 * v + 3) / 6);
    return where(less_equal(v, -3), scalar(0, v.dtype()), above);
  };
  return unary("hard_silu", x, unary_op::of_input(value, slopes, slope));
}

Tensor hard_tanh(const Tensor& x) {
  return unary("hard_tanh", x,
               unary_op::bent([]<class T>(T v) { return v < -1 ? T(-1) : (v > 1 ? T(1) : v); },
                              []<class T>(T v) { return v > -1 && v < 1 ? T(1) : T(0); }));
}

namespace {

/// Nothing between -threshold and threshold; `less`: moved by it outside, so that there is no leap.
Tensor shrink(std::string_view op, const Tensor& x, double threshold, bool less) {
  if (!(threshold >= 0)) {
    fail<OptionError>(op, "threshold is {}; expected 0 or more", threshold);
  }
  const auto value = [=]<class T>(T v) {
    if (std::abs(v) <= T(threshold)) return T(0);
    const T by = less ? T(threshold) : T(0);
    return v < 0 ? v + by : v - by;
  };
  const auto slope = [=]<class T>(T v) { return std::abs(v) <= T(threshold) ? T(0) : T(1); };
  return unary(op, x, unary_op::bent(value, slope));
}

}  // namespace

Tensor hard_shrink(const Tensor& x, double threshold) {
  return shrink("hard_shrink", x, threshold, false);
}
Tensor hard_shrink(const Tensor& x) {
  return hard_shrink(x, 0.5);
}
Tensor soft_shrink(const Tensor& x, double threshold) {
  return shrink("soft_shrink", x, threshold, true);
}
Tensor soft_shrink(const Tensor& x) {
  return soft_shrink(x, 0.5);
}

Tensor sparse_plus(const Tensor& x) {
  const auto value = []<class T>(T v) {
    return v <= -1 ? T(0) : (v >= 1 ? v : (v + 1) * (v + 1) / 4);
  };
  const auto slopes = []<class T>(const T* v, T* s, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      s[i] = v[i] <= -1 ? T(0) : (v[i] >= 1 ? T(1) : (v[i] + 1) / 2);
    }
  };
  const auto slope = [](const Tensor& v) { return (clip(v, -1, 1) + 1) / 2; };
  return unary("sparse_plus", x, unary_op::of_input(value, slopes, slope));
}

}  // namespace maskgrad
