#include <cmath>

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/autograd/ops/elementwise/unary.hpp>
#include <maskgrad/core/kernels/simd/arrays.hpp>

// The activation functions that few models use; the others stand in activations.cpp.

namespace maskgrad {
namespace {

struct Celu {
  static constexpr GradientReads keeps = GradientReads::input;
  double alpha;
  template <class T>
  void values(const T* x, T* y, std::int64_t n) const {
    for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] / T(alpha);
    kernels::simd::expm1(y, y, n);
    for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] < 0 ? T(alpha) * y[i] : x[i];
  }
  template <class T>
  void slopes(const T* x, T* s, std::int64_t n) const {
    for (std::int64_t i = 0; i < n; ++i) s[i] = x[i] / T(alpha);
    kernels::simd::exp(s, s, n);
    for (std::int64_t i = 0; i < n; ++i) s[i] = x[i] > 0 ? T(1) : s[i];
  }
};
struct HardSilu {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  T value(T x) const {
    return x <= -3 ? T(0) : (x >= 3 ? x : x * (x + 3) / 6);
  }
  template <class T>
  T slope(T x) const {
    return x <= -3 ? T(0) : (x > 3 ? T(1) : (2 * x + 3) / 6);
  }
};
struct HardTanh {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  T value(T x) const {
    return x < -1 ? T(-1) : (x > 1 ? T(1) : x);
  }
  template <class T>
  T slope(T x) const {
    return x > -1 && x < 1 ? T(1) : T(0);
  }
};
/// Nothing between -threshold and threshold; `less`: moved by it outside, so that there is no leap.
struct Shrink {
  static constexpr GradientReads keeps = GradientReads::input;
  double threshold;
  bool less;
  template <class T>
  T value(T x) const {
    if (std::abs(x) <= T(threshold)) return T(0);
    const T by = less ? T(threshold) : T(0);
    return x < 0 ? x + by : x - by;
  }
  template <class T>
  T slope(T x) const {
    return std::abs(x) <= T(threshold) ? T(0) : T(1);
  }
};
struct TanhShrink {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  void values(const T* x, T* y, std::int64_t n) const {
    kernels::simd::tanh(x, y, n);
    for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] - y[i];
  }
  template <class T>
  void slopes(const T* x, T* s, std::int64_t n) const {
    kernels::simd::tanh(x, s, n);
    for (std::int64_t i = 0; i < n; ++i) s[i] *= s[i];
  }
};
struct Squareplus {
  static constexpr GradientReads keeps = GradientReads::input;
  double b;
  template <class T>
  T value(T x) const {
    const T root = std::sqrt(x * x + T(b));
    // Far below 0 the sum would lose all digits.
    return x < 0 && b > 0 ? T(b) / (2 * (root - x)) : (x + root) / 2;
  }
  template <class T>
  T slope(T x) const {
    const T root = std::sqrt(x * x + T(b));
    return root == 0 ? T(0) : value(x) / root;
  }
};
struct SparsePlus {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  T value(T x) const {
    return x <= -1 ? T(0) : (x >= 1 ? x : (x + 1) * (x + 1) / 4);
  }
  template <class T>
  T slope(T x) const {
    return x <= -1 ? T(0) : (x >= 1 ? T(1) : (x + 1) / 2);
  }
};

void at_least_zero(std::string_view op, std::string_view option, double value) {
  if (value >= 0) return;
  fail<OptionError>(op, "{} is {}; expected 0 or more", option, value);
}

}  // namespace

Tensor celu(const Tensor& x, double alpha) {
  if (!(alpha > 0)) fail<OptionError>("celu", "alpha is {}; expected a number above 0", alpha);
  return unary("celu", x, Celu{alpha});
}
Tensor celu(const Tensor& x) {
  return celu(x, 1);
}
Tensor hard_silu(const Tensor& x) {
  return unary("hard_silu", x, HardSilu{});
}
Tensor hard_tanh(const Tensor& x) {
  return unary("hard_tanh", x, HardTanh{});
}
Tensor hard_shrink(const Tensor& x, double threshold) {
  at_least_zero("hard_shrink", "threshold", threshold);
  return unary("hard_shrink", x, Shrink{threshold, false});
}
Tensor hard_shrink(const Tensor& x) {
  return hard_shrink(x, 0.5);
}
Tensor soft_shrink(const Tensor& x, double threshold) {
  at_least_zero("soft_shrink", "threshold", threshold);
  return unary("soft_shrink", x, Shrink{threshold, true});
}
Tensor soft_shrink(const Tensor& x) {
  return soft_shrink(x, 0.5);
}
Tensor tanh_shrink(const Tensor& x) {
  return unary("tanh_shrink", x, TanhShrink{});
}
Tensor squareplus(const Tensor& x, double b) {
  at_least_zero("squareplus", "b", b);
  return unary("squareplus", x, Squareplus{b});
}
Tensor squareplus(const Tensor& x) {
  return squareplus(x, 4);
}
Tensor sparse_plus(const Tensor& x) {
  return unary("sparse_plus", x, SparsePlus{});
}

}  // namespace maskgrad
