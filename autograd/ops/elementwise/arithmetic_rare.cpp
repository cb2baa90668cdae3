#include <cmath>
#include <limits>
#include <type_traits>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/binary.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>

// Operations on two tensors that few models use; the others stand in arithmetic.cpp.

namespace maskgrad {
namespace {

/// What is left of a / b, with the sign of b; 0 for a whole a / 0.
template <class T>
T left_of(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0 || b == -1) return 0;
    const T rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  } else {
    const T rest = std::fmod(a, b);
    if (b == 0 || rest == 0) return b == 0 ? rest : std::copysign(rest, b);
    return (rest < 0) != (b < 0) ? rest + b : rest;
  }
}

/// a / b rounded down, as NumPy does it: what is left is taken off first.
template <class T>
T whole_times(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0) return 0;
    if (b == -1) return static_cast<T>(-static_cast<std::uint64_t>(a));  // the least one stays
    return (a - left_of(a, b)) / b;
  } else {
    if (b == 0) return a / b;
    const T rest = std::fmod(a, b);
    T times = (a - rest) / b;
    if (rest != 0 && (rest < 0) != (b < 0)) times -= 1;
    return times == 0 ? std::copysign(T(0), a / b) : std::round(times);
  }
}

struct Power {
  static constexpr bool reads = true, reals = true;
  template <class T>
  static T value(T a, T b) {
    return static_cast<T>(std::pow(a, b));
  }
  template <class T>
  static T da(T dy, T a, T b) {
    return b == 0 ? T(0) : static_cast<T>(dy * b * std::pow(a, b - 1));
  }
  template <class T>
  static T db(T dy, T a, T b) {
    return a == 0 && b >= 0 ? T(0) : static_cast<T>(dy * std::pow(a, b) * std::log(a));
  }
};
struct Remainder {
  static constexpr bool reads = true;
  template <class T>
  static T value(T a, T b) {
    return left_of(a, b);
  }
  template <class T>
  static T da(T dy, T, T) {
    return dy;
  }
  template <class T>
  static T db(T dy, T a, T b) {
    return -dy * whole_times(a, b);
  }
};
struct FloorDivide {
  static constexpr bool reads = false;
  template <class T>
  static T value(T a, T b) {
    return whole_times(a, b);
  }
  template <class T>
  static T da(T, T, T) {
    return 0;
  }
  template <class T>
  static T db(T, T, T) {
    return 0;
  }
};
struct Atan2 {
  static constexpr bool reads = true, reals = true;
  template <class T>
  static T value(T a, T b) {
    return static_cast<T>(std::atan2(a, b));
  }
  template <class T>
  static T da(T dy, T a, T b) {
    return dy * b / (a * a + b * b);
  }
  template <class T>
  static T db(T dy, T a, T b) {
    return -dy * a / (a * a + b * b);
  }
};
struct Logaddexp {
  static constexpr bool reads = true, reals = true;
  template <class T>
  static T value(T a, T b) {
    if (a == b) return static_cast<T>(a + std::log(2.0));  // infinities too
    return static_cast<T>((a > b ? a : b) + std::log1p(std::exp(-std::abs(a - b))));
  }
  template <class T>
  static T da(T dy, T a, T b) {
    // Of nothing at all, nothing is the greater part.
    if (a == -std::numeric_limits<T>::infinity()) return 0;
    if (a == b) return dy / 2;
    return static_cast<T>(dy / (1 + std::exp(b - a)));
  }
  template <class T>
  static T db(T dy, T a, T b) {
    return da(dy, b, a);
  }
};

}  // namespace

Tensor power(const Tensor& a, const Tensor& b) {
  check::real("power", a);
  return binary_op::binary<Power>("power", a, b);
}
Tensor remainder(const Tensor& a, const Tensor& b) {
  return binary_op::binary<Remainder>("remainder", a, b);
}
Tensor floor_divide(const Tensor& a, const Tensor& b) {
  return binary_op::binary<FloorDivide>("floor_divide", a, b);
}
Tensor atan2(const Tensor& a, const Tensor& b) {
  check::real("atan2", a);
  return binary_op::binary<Atan2>("atan2", a, b);
}
Tensor logaddexp(const Tensor& a, const Tensor& b) {
  check::real("logaddexp", a);
  return binary_op::binary<Logaddexp>("logaddexp", a, b);
}
Tensor power(const Tensor& a, double b) {
  // The most usual power, many times faster so, and the same to the last bit.
  if (b == 2 && is_real(a.dtype())) return square(a);
  return power(a, binary_op::number("power", b, a));
}
Tensor remainder(const Tensor& a, double b) {
  return remainder(a, binary_op::number("remainder", b, a));
}
Tensor floor_divide(const Tensor& a, double b) {
  return floor_divide(a, binary_op::number("floor_divide", b, a));
}

}  // namespace maskgrad
