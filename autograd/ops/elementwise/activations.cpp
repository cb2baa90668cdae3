#include <maskgrad/autograd/ops/elementwise/activations.hpp>

#include <cmath>
#include <numbers>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/elementwise/unary.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/core/kernels/simd/arrays.hpp>

// The smooth activation functions; those made of parts are in piecewise.cpp.

namespace maskgrad {

using unary_op::as;

namespace {

/// scale (x above 0, alpha (exp(x / alpha_in) - 1) below).
Tensor exponential_below(std::string_view op, const Tensor& x, double scale, double alpha,
                         double alpha_in) {
  const auto values = [=]<class T>(const T* v, T* y, std::int64_t n) {
    if (alpha_in == 1) {
      kernels::simd::expm1(v, y, n);
    } else {
      for (std::int64_t i = 0; i < n; ++i) y[i] = v[i] / T(alpha_in);
      kernels::simd::expm1(y, y, n);
    }
    for (std::int64_t i = 0; i < n; ++i) y[i] = T(scale) * (v[i] < 0 ? T(alpha) * y[i] : v[i]);
  };
  const auto slopes = [=]<class T>(const T* v, T* s, std::int64_t n) {
    if (alpha_in == 1) {
      kernels::simd::exp(v, s, n);
    } else {
      for (std::int64_t i = 0; i < n; ++i) s[i] = v[i] / T(alpha_in);
      kernels::simd::exp(s, s, n);
    }
    for (std::int64_t i = 0; i < n; ++i) {
      s[i] = T(scale) * (v[i] > 0 ? T(1) : T(alpha / alpha_in) * s[i]);
    }
  };
  const auto slope = [=](const Tensor& v) {
    const Tensor below = exp(minimum(v, 0) / alpha_in) * (scale * alpha / alpha_in);
    return where(greater(v, 0), scalar(scale, v.dtype()), below);
  };
  return unary(op, x, unary_op::of_input(values, slopes, slope));
}

constexpr double selu_scale = 1.0507009873554805, selu_alpha = 1.6732632423543772;

Tensor gelu_of_tanh(const Tensor& x) {
  constexpr double a = 0.7978845608028654, b = 0.044715;  // a = sqrt(2 / pi)
  const auto bend = []<class T>(const T* v, T* t, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) t[i] = T(a) * (v[i] + T(b) * v[i] * v[i] * v[i]);
    kernels::simd::tanh(t, t, n);
  };
  const auto values = [=]<class T>(const T* v, T* y, std::int64_t n) {
    bend(v, y, n);
    for (std::int64_t i = 0; i < n; ++i) y[i] = T(0.5) * v[i] * (1 + y[i]);
  };
  const auto slopes = [=]<class T>(const T* v, T* s, std::int64_t n) {
    bend(v, s, n);
    for (std::int64_t i = 0; i < n; ++i) {
      const T t = s[i], bent = T(a) * (1 + 3 * T(b) * v[i] * v[i]);
      s[i] = T(0.5) * (1 + t) + T(0.5) * v[i] * (1 - t * t) * bent;
    }
  };
  const auto slope = [](const Tensor& v) {
    const Tensor squares = square(v), t = tanh(a * v * (1 + b * squares));
    return 0.5 * (1 + t) + 0.5 * v * (1 - square(t)) * (a * (1 + 3 * b * squares));
  };
  return unary("gelu", x, unary_op::of_input(values, slopes, slope));
}

/// With e = exp(x), of a number that is at most 20, tanh(log(1 + e)) = n / (n + 2), n = e (e + 2);
/// above 20 that is 1.
template <class T>
void exps_of_20(const T* x, T* e, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) e[i] = x[i] > 20 ? T(20) : x[i];
  kernels::simd::exp(e, e, n);
}

}  // namespace

Tensor elu(const Tensor& x, double alpha) {
  return exponential_below("elu", x, 1, alpha, 1);
}
Tensor elu(const Tensor& x) {
  return elu(x, 1);
}
Tensor selu(const Tensor& x) {
  return exponential_below("selu", x, selu_scale, selu_alpha, 1);
}
Tensor celu(const Tensor& x, double alpha) {
  if (!(alpha > 0)) fail<OptionError>("celu", "alpha is {}; expected a number above 0", alpha);
  return exponential_below("celu", x, 1, alpha, alpha);
}
Tensor celu(const Tensor& x) {
  return celu(x, 1);
}

Tensor gelu(const Tensor& x, bool approximate) {
  if (approximate) return gelu_of_tanh(x);
  const auto slope = [](const Tensor& v) {
    constexpr double root_2 = std::numbers::sqrt2;
    constexpr double density_at_0 = std::numbers::inv_sqrtpi / root_2;
    return 0.5 * (1 + erf(v / root_2)) + v * density_at_0 * exp(-0.5 * square(v));
  };
  return unary("gelu", x,
               unary_op::of_input(
                   [](auto* v, auto* y, auto n) { kernels::simd::gelu(v, y, n); },
                   [](auto* v, auto* s, auto n) { kernels::simd::gelu_slope(v, s, n); }, slope));
}
Tensor gelu(const Tensor& x) {
  return gelu(x, false);
}

Tensor silu(const Tensor& x) {
  const auto values = [](auto* v, auto* y, std::int64_t n) {
    kernels::simd::sigmoid(v, y, n);
    for (std::int64_t i = 0; i < n; ++i) y[i] *= v[i];
  };
  const auto slopes = [](auto* v, auto* s, std::int64_t n) {
    kernels::simd::sigmoid(v, s, n);
    for (std::int64_t i = 0; i < n; ++i) s[i] *= 1 + v[i] * (1 - s[i]);
  };
  const auto slope = [](const Tensor& v) {
    const Tensor s = sigmoid(v);
    return s * (1 + v * (1 - s));
  };
  return unary("silu", x, unary_op::of_input(values, slopes, slope));
}

Tensor mish(const Tensor& x) {
  const auto values = [](auto* v, auto* y, std::int64_t count) {
    exps_of_20(v, y, count);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto n = y[i] * (y[i] + 2);
      y[i] = v[i] * (n / (n + 2));
    }
  };
  const auto slopes = []<class T>(const T* v, T* s, std::int64_t count) {
    exps_of_20(v, s, count);
    for (std::int64_t i = 0; i < count; ++i) {
      const T e = s[i], rest = 2 / (e * (e + 2) + 2);
      s[i] = v[i] > 20 ? T(1) : (1 - rest) + v[i] * rest * (2 - rest) * (e / (1 + e));
    }
  };
  const auto slope = [](const Tensor& v) {
    const Tensor t = tanh(softplus(v));
    return t + v * (1 - square(t)) * sigmoid(v);
  };
  return unary("mish", x, unary_op::of_input(values, slopes, slope));
}

Tensor sigmoid(const Tensor& x) {
  return unary(
      "sigmoid", x,
      unary_op::of_result([](auto* v, auto* y, auto n) { kernels::simd::sigmoid(v, y, n); },
                          [](auto y) { return y * (1 - y); }));
}

Tensor log_sigmoid(const Tensor& x) {
  const auto values = [](auto* v, auto* y, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = -v[i];
    kernels::simd::softplus(y, y, n);
    for (std::int64_t i = 0; i < n; ++i) y[i] = -y[i];
  };
  const auto slopes = [](auto* v, auto* s, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) s[i] = -v[i];
    kernels::simd::sigmoid(s, s, n);
  };
  return unary("log_sigmoid", x,
               unary_op::of_input(values, slopes, [](const Tensor& v) { return sigmoid(-v); }));
}

Tensor softplus(const Tensor& x) {
  return unary(
      "softplus", x,
      unary_op::of_input([](auto* v, auto* y, auto n) { kernels::simd::softplus(v, y, n); },
                         [](auto* v, auto* s, auto n) { kernels::simd::sigmoid(v, s, n); },
                         [](const Tensor& v) { return sigmoid(v); }));
}

Tensor softsign(const Tensor& x) {
  return unary("softsign", x,
               unary_op::of_input([](auto v) { return v / (1 + std::abs(v)); },
                                  [](auto v) {
                                    using std::abs;
                                    const auto d = 1 + abs(v);
                                    return 1 / (d * d);
                                  }));
}

Tensor tanh_shrink(const Tensor& x) {
  const auto values = [](auto* v, auto* y, std::int64_t n) {
    kernels::simd::tanh(v, y, n);
    for (std::int64_t i = 0; i < n; ++i) y[i] = v[i] - y[i];
  };
  const auto slopes = [](auto* v, auto* s, std::int64_t n) {
    kernels::simd::tanh(v, s, n);
    for (std::int64_t i = 0; i < n; ++i) s[i] *= s[i];
  };
  return unary("tanh_shrink", x,
               unary_op::of_input(values, slopes, [](const Tensor& v) { return square(tanh(v)); }));
}

Tensor squareplus(const Tensor& x, double b) {
  if (!(b >= 0)) fail<OptionError>("squareplus", "b is {}; expected 0 or more", b);
  const auto value = [=]<class T>(T v) {
    const T root = std::sqrt(v * v + T(b));
    // Far below 0 the sum would lose all digits.
    return v < 0 && b > 0 ? T(b) / (2 * (root - v)) : (v + root) / 2;
  };
  const auto slopes = [=]<class T>(const T* v, T* s, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      const T root = std::sqrt(v[i] * v[i] + T(b));
      s[i] = root == 0 ? T(0) : value(v[i]) / root;
    }
  };
  const auto slope = [=](const Tensor& v) {
    const Tensor scale = where(equal(square(v) + b, 0), scalar(0, v.dtype()), rsqrt(square(v) + b));
    return 0.5 * (v * scale + 1);
  };
  return unary("squareplus", x, unary_op::of_input(value, slopes, slope));
}
Tensor squareplus(const Tensor& x) {
  return squareplus(x, 4);
}

Tensor exponential(const Tensor& x) {
  return exp(x);
}
Tensor linear(const Tensor& x) {
  return x;
}

}  // namespace maskgrad
