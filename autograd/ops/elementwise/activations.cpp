#include <maskgrad/autograd/ops/elementwise/activations.hpp>

#include <cmath>

#include <maskgrad/autograd/ops/elementwise/binary.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/elementwise/unary.hpp>
#include <maskgrad/core/kernels/simd/arrays.hpp>

namespace maskgrad {
namespace {

struct Relu {
  static constexpr GradientReads keeps = GradientReads::result;
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
  static constexpr GradientReads keeps = GradientReads::input;
  ReluShape o;
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
// Both sides are computed, so that nothing branches.
struct Prelu {
  static constexpr bool reads = true, reals = true;
  template <class T>
  static T value(T x, T alpha) {
    const T below = alpha * x;
    return x > 0 ? x : below;
  }
  template <class T>
  static T da(T dy, T x, T alpha) {
    const T below = dy * alpha;
    return x > 0 ? dy : below;
  }
  template <class T>
  static T db(T dy, T x, T) {
    const T below = dy * x;
    return x > 0 ? T(0) : below;
  }
};
struct Elu {
  static constexpr GradientReads keeps = GradientReads::input;
  double scale, alpha;
  template <class T>
  void values(const T* x, T* y, std::int64_t n) const {
    kernels::simd::expm1(x, y, n);
    for (std::int64_t i = 0; i < n; ++i) y[i] = T(scale) * (x[i] < 0 ? T(alpha) * y[i] : x[i]);
  }
  template <class T>
  void slopes(const T* x, T* s, std::int64_t n) const {
    kernels::simd::exp(x, s, n);
    for (std::int64_t i = 0; i < n; ++i) s[i] = T(scale) * (x[i] > 0 ? T(1) : T(alpha) * s[i]);
  }
};
struct Gelu {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  void values(const T* x, T* y, std::int64_t n) const {
    kernels::simd::gelu(x, y, n);
  }
  template <class T>
  void slopes(const T* x, T* s, std::int64_t n) const {
    kernels::simd::gelu_slope(x, s, n);
  }
};
struct GeluTanh {
  static constexpr GradientReads keeps = GradientReads::input;
  static constexpr double a = 0.7978845608028654, b = 0.044715;  // a = sqrt(2 / pi)
  template <class T>
  static void bend(const T* x, T* t, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) t[i] = T(a) * (x[i] + T(b) * x[i] * x[i] * x[i]);
    kernels::simd::tanh(t, t, n);
  }
  template <class T>
  void values(const T* x, T* y, std::int64_t n) const {
    bend(x, y, n);
    for (std::int64_t i = 0; i < n; ++i) y[i] = T(0.5) * x[i] * (1 + y[i]);
  }
  template <class T>
  void slopes(const T* x, T* s, std::int64_t n) const {
    bend(x, s, n);
    for (std::int64_t i = 0; i < n; ++i) {
      const T t = s[i], bent = T(a) * (1 + 3 * T(b) * x[i] * x[i]);
      s[i] = T(0.5) * (1 + t) + T(0.5) * x[i] * (1 - t * t) * bent;
    }
  }
};
struct Silu {
  static constexpr GradientReads keeps = GradientReads::input;
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
/// x tanh(softplus(x)): with e = exp(x), tanh(log(1 + e)) = n / (n + 2), n = e (e + 2); above 20
/// that is 1.
struct Mish {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  static void exps(const T* x, T* e, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) e[i] = x[i] > 20 ? T(20) : x[i];
    kernels::simd::exp(e, e, n);
  }
  template <class T>
  void values(const T* x, T* y, std::int64_t count) const {
    exps(x, y, count);
    for (std::int64_t i = 0; i < count; ++i) {
      const T n = y[i] * (y[i] + 2);
      y[i] = x[i] * (n / (n + 2));
    }
  }
  template <class T>
  void slopes(const T* x, T* s, std::int64_t count) const {
    exps(x, s, count);
    for (std::int64_t i = 0; i < count; ++i) {
      const T e = s[i], rest = 2 / (e * (e + 2) + 2);
      s[i] = x[i] > 20 ? T(1) : (1 - rest) + x[i] * rest * (2 - rest) * (e / (1 + e));
    }
  }
};
struct Sigmoid {
  static constexpr GradientReads keeps = GradientReads::result;
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
  static constexpr GradientReads keeps = GradientReads::input;
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
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  void values(const T* x, T* y, std::int64_t n) const {
    kernels::simd::softplus(x, y, n);
  }
  template <class T>
  void slopes(const T* x, T* s, std::int64_t n) const {
    kernels::simd::sigmoid(x, s, n);
  }
};
struct LogSigmoid {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  void values(const T* x, T* y, std::int64_t n) const {
    for (std::int64_t i = 0; i < n; ++i) y[i] = -x[i];
    kernels::simd::softplus(y, y, n);
    for (std::int64_t i = 0; i < n; ++i) y[i] = -y[i];
  }
  template <class T>
  void slopes(const T* x, T* s, std::int64_t n) const {
    for (std::int64_t i = 0; i < n; ++i) s[i] = -x[i];
    kernels::simd::sigmoid(s, s, n);
  }
};
struct Softsign {
  static constexpr GradientReads keeps = GradientReads::input;
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
Tensor relu(const Tensor& x, const ReluShape& options) {
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
Tensor prelu(const Tensor& x, const Tensor& alpha) {
  check::real("prelu", x);
  return binary_op::binary<Prelu>("prelu", x, alpha);
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
