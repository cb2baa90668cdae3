#include <cmath>
#include <limits>

#include <maskgrad/autograd/ops/elementwise/binary.hpp>
#include <maskgrad/layers/losses/pairs.hpp>

namespace maskgrad::losses {
namespace {

struct Weighed {
  static constexpr bool reads = true, reals = true;
  template <class T>
  static T value(T weight, T x) {
    return weight == 0 ? T(0) : weight * x;
  }
  /// An infinite x is no slope where it was not read.
  template <class T>
  static T da(T dy, T weight, T x) {
    return dy == 0 || (weight == 0 && !(std::abs(x) <= std::numeric_limits<T>::max())) ? T(0)
                                                                                       : dy * x;
  }
  template <class T>
  static T db(T dy, T weight, T) {
    return dy == 0 || weight == 0 ? T(0) : dy * weight;
  }
};

struct Unless0 {
  static constexpr bool reads = true, reals = true;
  template <class T>
  static T value(T weight, T x) {
    return weight == 0 ? T(0) : x;
  }
  template <class T>
  static T da(T, T, T) {
    return 0;
  }
  template <class T>
  static T db(T dy, T weight, T) {
    return weight == 0 ? T(0) : dy;
  }
};

}  // namespace

Tensor weighed(const Tensor& weight, const Tensor& x) {
  return binary_op::binary<Weighed>("weighed", weight, x);
}

Tensor unless_0(const Tensor& weight, const Tensor& x) {
  return binary_op::binary<Unless0>("unless_0", weight, x);
}

}  // namespace maskgrad::losses
