#include <maskgrad/autograd/ops/elementwise/math.hpp>

#include <cmath>
#include <limits>

#include <maskgrad/autograd/ops/elementwise/unary.hpp>
#include <maskgrad/core/kernels/simd/arrays.hpp>

namespace maskgrad {
namespace {

struct Abs {
  static constexpr GradientReads keeps = GradientReads::input;
  static constexpr bool integers = true;
  template <class T>
  T value(T x) const {
    return std::abs(x);
  }
  template <class T>
  T slope(T x) const {
    return static_cast<T>((x > 0) - (x < 0));
  }
};
struct Sign {
  static constexpr GradientReads keeps = GradientReads::nothing;
  static constexpr bool integers = true;
  template <class T>
  T value(T x) const {
    return x != x ? x : static_cast<T>((x > 0) - (x < 0));
  }
};
struct Square {
  static constexpr GradientReads keeps = GradientReads::input;
  static constexpr bool integers = true;
  template <class T>
  T value(T x) const {
    return x * x;
  }
  template <class T>
  T slope(T x) const {
    return 2 * x;
  }
};
struct Sqrt {
  static constexpr GradientReads keeps = GradientReads::result;
  template <class T>
  T value(T x) const {
    return std::sqrt(x);
  }
  template <class T>
  T slope(T y) const {
    return T(0.5) / y;
  }
};
struct Rsqrt {
  static constexpr GradientReads keeps = GradientReads::result;
  template <class T>
  T value(T x) const {
    return 1 / std::sqrt(x);
  }
  template <class T>
  T slope(T y) const {
    return T(-0.5) * y * y * y;
  }
};
struct Reciprocal {
  static constexpr GradientReads keeps = GradientReads::result;
  template <class T>
  T value(T x) const {
    return 1 / x;
  }
  template <class T>
  T slope(T y) const {
    return -y * y;
  }
};
struct Exp {
  static constexpr GradientReads keeps = GradientReads::result;
  template <class T>
  void values(const T* x, T* y, std::int64_t n) const {
    kernels::simd::exp(x, y, n);
  }
  template <class T>
  T slope(T y) const {
    return y;
  }
};
struct Expm1 {
  static constexpr GradientReads keeps = GradientReads::result;
  template <class T>
  void values(const T* x, T* y, std::int64_t n) const {
    kernels::simd::expm1(x, y, n);
  }
  template <class T>
  T slope(T y) const {
    return y + 1;
  }
};
struct Log {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  void values(const T* x, T* y, std::int64_t n) const {
    kernels::simd::log(x, y, n);
  }
  template <class T>
  T slope(T x) const {
    return 1 / x;
  }
};
struct Tanh {
  static constexpr GradientReads keeps = GradientReads::result;
  template <class T>
  void values(const T* x, T* y, std::int64_t n) const {
    kernels::simd::tanh(x, y, n);
  }
  template <class T>
  T slope(T y) const {
    return 1 - y * y;
  }
};
struct Clip {
  static constexpr GradientReads keeps = GradientReads::input;
  static constexpr bool integers = true;
  double low, high;
  template <class T>
  T value(T x) const {
    return x < low ? static_cast<T>(low) : (x > high ? static_cast<T>(high) : x);
  }
  template <class T>
  T slope(T x) const {
    return x >= T(low) && x <= T(high) ? T(1) : T(0);
  }
};

/// Integers have whole bounds; an infinite one bounds nothing on its side.
void check_whole(const Tensor& x, double low, double high) {
  constexpr double end = 0x1p63;
  const auto fits = [](double bound, double open) {
    return bound == open || (bound == std::floor(bound) && bound >= -end && bound < end);
  };
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (fits(low, -infinity) && fits(high, infinity)) return;
  fail<TypeError>("clip",
                  "low is {} and high is {} for {}; expected whole numbers that i64 holds (or -inf "
                  "and inf for no bound). Use cast(x, DType::f32) for others",
                  low, high, x.describe());
}

}  // namespace

Tensor abs(const Tensor& x) {
  return unary("abs", x, Abs{});
}
Tensor sign(const Tensor& x) {
  return unary("sign", x, Sign{});
}
Tensor square(const Tensor& x) {
  return unary("square", x, Square{});
}
Tensor sqrt(const Tensor& x) {
  return unary("sqrt", x, Sqrt{});
}
Tensor rsqrt(const Tensor& x) {
  return unary("rsqrt", x, Rsqrt{});
}
Tensor reciprocal(const Tensor& x) {
  return unary("reciprocal", x, Reciprocal{});
}
Tensor exp(const Tensor& x) {
  return unary("exp", x, Exp{});
}
Tensor expm1(const Tensor& x) {
  return unary("expm1", x, Expm1{});
}
Tensor log(const Tensor& x) {
  return unary("log", x, Log{});
}
Tensor tanh(const Tensor& x) {
  return unary("tanh", x, Tanh{});
}

Tensor clip(const Tensor& x, double low, double high) {
  if (!(low <= high)) {
    fail<OptionError>("clip", "low is {} and high is {}; expected low <= high", low, high);
  }
  if (x.dtype() == DType::i64) check_whole(x, low, high);
  return unary("clip", x, Clip{low, high});
}

}  // namespace maskgrad
