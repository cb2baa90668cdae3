#include <cmath>
#include <type_traits>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/binary.hpp>

// Division to whole numbers.

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

}  // namespace

Tensor remainder(const Tensor& a, const Tensor& b) {
  return binary_of_numbers("remainder", a, b,
                           binary_op::function([](auto x, auto z) { return left_of(x, z); },
                                               [](auto dy, auto, auto) { return dy; },
                                               []<class T>(T dy, T x, T z) {
                                                 if constexpr (Real<T>) {
                                                   return -dy * whole_times(x, z);
                                                 } else {
                                                   return -dy * floor_divide(x, z);
                                                 }
                                               }));
}

Tensor floor_divide(const Tensor& a, const Tensor& b) {
  return binary_of_numbers(
      "floor_divide", a, b,
      binary_op::unread<false, false>([](auto x, auto z) { return whole_times(x, z); },
                                      [](auto dy, auto, auto) { return binary_op::nothing(dy); },
                                      [](auto dy, auto, auto) { return binary_op::nothing(dy); }));
}

Tensor remainder(const Tensor& a, double b) {
  return remainder(a, binary_op::number("remainder", b, a));
}
Tensor floor_divide(const Tensor& a, double b) {
  return floor_divide(a, binary_op::number("floor_divide", b, a));
}

}  // namespace maskgrad
