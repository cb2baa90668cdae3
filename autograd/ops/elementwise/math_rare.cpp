#include <cmath>
#include <numbers>

#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/elementwise/unary.hpp>

// The functions of one value that few models use; the others stand in unary.cpp.

namespace maskgrad {
namespace {

using std::numbers::ln10;
using std::numbers::ln2;

struct Exp2 {
  static constexpr GradientReads keeps = GradientReads::result;
  template <class T>
  T value(T x) const {
    return std::exp2(x);
  }
  template <class T>
  T slope(T y) const {
    return y * T(ln2);
  }
};
struct Log1p {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  T value(T x) const {
    return std::log1p(x);
  }
  template <class T>
  T slope(T x) const {
    return 1 / (1 + x);
  }
};
struct Log2 {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  T value(T x) const {
    return std::log2(x);
  }
  template <class T>
  T slope(T x) const {
    return 1 / (x * T(ln2));
  }
};
struct Log10 {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  T value(T x) const {
    return std::log10(x);
  }
  template <class T>
  T slope(T x) const {
    return 1 / (x * T(ln10));
  }
};
struct Erf {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  T value(T x) const {
    return std::erf(x);
  }
  template <class T>
  T slope(T x) const {
    return T(2 * std::numbers::inv_sqrtpi) * std::exp(-x * x);
  }
};
struct Floor {
  static constexpr GradientReads keeps = GradientReads::nothing;
  template <class T>
  T value(T x) const {
    return std::floor(x);
  }
};
struct Ceil {
  static constexpr GradientReads keeps = GradientReads::nothing;
  template <class T>
  T value(T x) const {
    return std::ceil(x);
  }
};
struct Round {
  static constexpr GradientReads keeps = GradientReads::nothing;
  template <class T>
  T value(T x) const {
    return std::nearbyint(x);
  }
};
struct Trunc {
  static constexpr GradientReads keeps = GradientReads::nothing;
  template <class T>
  T value(T x) const {
    return std::trunc(x);
  }
};

}  // namespace

Tensor exp2(const Tensor& x) {
  return unary("exp2", x, Exp2{});
}
Tensor log1p(const Tensor& x) {
  return unary("log1p", x, Log1p{});
}
Tensor log2(const Tensor& x) {
  return unary("log2", x, Log2{});
}
Tensor log10(const Tensor& x) {
  return unary("log10", x, Log10{});
}
Tensor erf(const Tensor& x) {
  return unary("erf", x, Erf{});
}
Tensor floor(const Tensor& x) {
  return unary("floor", x, Floor{});
}
Tensor ceil(const Tensor& x) {
  return unary("ceil", x, Ceil{});
}
Tensor round(const Tensor& x) {
  return unary("round", x, Round{});
}
Tensor trunc(const Tensor& x) {
  return unary("trunc", x, Trunc{});
}

}  // namespace maskgrad
