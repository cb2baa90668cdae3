#include <maskgrad/autograd/ops/activations.hpp>

#include <cmath>
#include <numbers>

#include <maskgrad/autograd/ops/elementwise.hpp>
#include <maskgrad/autograd/ops/unary.hpp>
#include <maskgrad/core/kernels/simd/arrays.hpp>

namespace maskgrad {
namespace {

template <class T>
T logistic(T x) {
  const T e = std::exp(-std::abs(x));
  return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

struct Relu {
  static constexpr Keeps keeps = Keeps::result;
  template <class T>
  T value(T x) const {
    return x < 0 ? T(0) : x;
  }
  template <class T>
  T slope(T y) const {
    return y > 0 ? T(1) : T(0);
  }
};
struct GeneralRelu {
  static constexpr Keeps keeps = Keeps::input;
  ReluOptions o;
  template <class T>
  T value(T x) const {
    const T below = o.negative_slope == 0 ? T(0) : T(o.negative_slope) * (x - T(o.threshold));
    return x >= T(o.max_value) ? T(o.max_value) : (x < T(o.threshold) ? below : x);
  }
  template <class T>
  T slope(T x) const {
    return x >= T(o.max_value) ? T(0) : (x > T(o.threshold) ? T(1) : T(o.negative_slope));
  }
};
struct Elu {
  static constexpr Keeps keeps = Keeps::input;
  double scale, alpha;
  template <class T>
  T value(T x) const {
    return T(scale) * (x < 0 ? T(alpha) * std::expm1(x) : x);
  }
  template <class T>
  T slope(T x) const {
    return T(scale) * (x > 0 ? T(1) : T(alpha) * std::exp(x));
  }
};
struct Gelu {
  static constexpr Keeps keeps = Keeps::input;
  template <class T>
  static T below(T x) {  // P(X <= x)
    return T(0.5) * std::erfc(-x / T(std::numbers::sqrt2));
  }
  template <class T>
  T value(T x) const {
    return x * below(x);
  }
  template <class T>
  T slope(T x) const {
    const T density = std::exp(T(-0.5) * x * x) * T(0.3989422804014327);  // 1 / sqrt(2 pi)
    return below(x) + x * density;
  }
};
struct GeluTanh {
  static constexpr Keeps keeps = Keeps::input;
  static constexpr double a = 0.7978845608028654, b = 0.044715;  // a = sqrt(2 / pi)
  template <class T>
  T value(T x) const {
    return T(0.5) * x * (1 + std::tanh(T(a) * (x + T(b) * x * x * x)));
  }
  template <class T>
  T slope(T x) const {
    const T t = std::tanh(T(a) * (x + T(b) * x * x * x));
    return T(0.5) * (1 + t) + T(0.5) * x * (1 - t * t) * T(a) * (1 + 3 * T(b) * x * x);
  }
};
struct Silu {
  static constexpr Keeps keeps = Keeps::input;
  template <class T>
  void values(const T* x, T* y, std::int64_t n) const {
    kernels::simd::sigmoid(x, y, n);
    for (std::int64_t i = 0; i < n; ++i) y[i] *= x[i];
  }
  template <class T>
  void slopes(const T* x, T* s, std::int64_t n) const {
    kernels::simd::sigmoid(x, s, n);
    for (std::int64_t i = 0; i < n; ++i) s[i] *= 1 + x[i] * (1 - s[i]);
  }
};
struct Mish {
  static constexpr Keeps keeps = Keeps::input;
  /// 1 - tanh(softplus(x)): with e = exp(x), tanh(log(1 + e)) = n / (n + 2), n = e (e + 2).
  template <class T>
  static T rest(T x) {
    if (x > 20) return 0;
    const T e = std::exp(x);
    return 2 / (e * (e + 2) + 2);
  }
  template <class T>
  T value(T x) const {
    if (x > 20) return x;
    const T e = std::exp(x), n = e * (e + 2);
    return x * (n / (n + 2));
  }
  template <class T>
  T slope(T x) const {
    const T r = rest(x);
    return (1 - r) + x * r * (2 - r) * logistic(x);
  }
};
struct Sigmoid {
  static constexpr Keeps keeps = Keeps::result;
  template <class T>
  void values(const T* x, T* y, std::int64_t n) const {
    kernels::simd::sigmoid(x, y, n);
  }
  template <class T>
  T slope(T y) const {
    return y * (1 - y);
  }
};
struct HardSigmoid {
  static constexpr Keeps keeps = Keeps::input;
  template <class T>
  T value(T x) const {
    return x <= -3 ? T(0) : (x >= 3 ? T(1) : (x + 3) / 6);
  }
  template <class T>
  T slope(T x) const {
    return x > -3 && x < 3 ? T(1) / 6 : T(0);
  }
};
struct Softplus {
  static constexpr Keeps keeps = Keeps::input;
  template <class T>
  T value(T x) const {
    return (x < 0 ? T(0) : x) + std::log1p(std::exp(-std::abs(x)));
  }
  template <class T>
  T slope(T x) const {
    return logistic(x);
  }
};
struct LogSigmoid {
  static constexpr Keeps keeps = Keeps::input;
  template <class T>
  T value(T x) const {
    return -Softplus{}.value(-x);
  }
  template <class T>
  T slope(T x) const {
    return logistic(-x);
  }
};
struct Softsign {
  static constexpr Keeps keeps = Keeps::input;
  template <class T>
  T value(T x) const {
    return x / (1 + std::abs(x));
  }
  template <class T>
  T slope(T x) const {
    const T d = 1 + std::abs(x);
    return 1 / (d * d);
  }
};

constexpr double selu_scale = 1.0507009873554805, selu_alpha = 1.6732632423543772;

}  // namespace

Tensor relu(const Tensor& x) {
  return unary("relu", x, Relu{});
}
Tensor relu(const Tensor& x, const ReluOptions& options) {
  if (!(options.max_value >= options.threshold)) {
    fail<OptionError>("relu", "max_value is {} and threshold {}; expected threshold <= max_value",
                      options.max_value, options.threshold);
  }
  return unary("relu", x, GeneralRelu{options});
}
Tensor relu6(const Tensor& x) {
  return unary("relu6", x, GeneralRelu{{.max_value = 6}});
}
Tensor leaky_relu(const Tensor& x, double negative_slope) {
  return unary("leaky_relu", x, GeneralRelu{{.negative_slope = negative_slope}});
}
Tensor leaky_relu(const Tensor& x) {
  return leaky_relu(x, 0.2);
}
Tensor elu(const Tensor& x, double alpha) {
  return unary("elu", x, Elu{1, alpha});
}
Tensor elu(const Tensor& x) {
  return elu(x, 1);
}
Tensor selu(const Tensor& x) {
  return unary("selu", x, Elu{selu_scale, selu_alpha});
}
Tensor gelu(const Tensor& x, bool approximate) {
  return approximate ? unary("gelu", x, GeluTanh{}) : unary("gelu", x, Gelu{});
}
Tensor gelu(const Tensor& x) {
  return gelu(x, false);
}
Tensor silu(const Tensor& x) {
  return unary("silu", x, Silu{});
}
Tensor mish(const Tensor& x) {
  return unary("mish", x, Mish{});
}
Tensor sigmoid(const Tensor& x) {
  return unary("sigmoid", x, Sigmoid{});
}
Tensor log_sigmoid(const Tensor& x) {
  return unary("log_sigmoid", x, LogSigmoid{});
}
Tensor hard_sigmoid(const Tensor& x) {
  return unary("hard_sigmoid", x, HardSigmoid{});
}
Tensor softplus(const Tensor& x) {
  return unary("softplus", x, Softplus{});
}
Tensor softsign(const Tensor& x) {
  return unary("softsign", x, Softsign{});
}
Tensor exponential(const Tensor& x) {
  return exp(x);
}
Tensor linear(const Tensor& x) {
  return x;
}

}  // namespace maskgrad
