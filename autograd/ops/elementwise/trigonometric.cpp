#include <cmath>

#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/elementwise/unary.hpp>

namespace maskgrad {
namespace {

struct Sin {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  T value(T x) const {
    return std::sin(x);
  }
  template <class T>
  T slope(T x) const {
    return std::cos(x);
  }
};
struct Cos {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  T value(T x) const {
    return std::cos(x);
  }
  template <class T>
  T slope(T x) const {
    return -std::sin(x);
  }
};
struct Tan {
  static constexpr GradientReads keeps = GradientReads::result;
  template <class T>
  T value(T x) const {
    return std::tan(x);
  }
  template <class T>
  T slope(T y) const {
    return 1 + y * y;
  }
};
struct Asin {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  T value(T x) const {
    return std::asin(x);
  }
  template <class T>
  T slope(T x) const {
    return 1 / std::sqrt(1 - x * x);
  }
};
struct Acos {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  T value(T x) const {
    return std::acos(x);
  }
  template <class T>
  T slope(T x) const {
    return -1 / std::sqrt(1 - x * x);
  }
};
struct Atan {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  T value(T x) const {
    return std::atan(x);
  }
  template <class T>
  T slope(T x) const {
    return 1 / (1 + x * x);
  }
};
struct Sinh {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  T value(T x) const {
    return std::sinh(x);
  }
  template <class T>
  T slope(T x) const {
    return std::cosh(x);
  }
};
struct Cosh {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  T value(T x) const {
    return std::cosh(x);
  }
  template <class T>
  T slope(T x) const {
    return std::sinh(x);
  }
};
struct Asinh {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  T value(T x) const {
    return std::asinh(x);
  }
  template <class T>
  T slope(T x) const {
    return 1 / std::sqrt(x * x + 1);
  }
};
struct Acosh {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  T value(T x) const {
    return std::acosh(x);
  }
  template <class T>
  T slope(T x) const {
    return 1 / std::sqrt(x * x - 1);
  }
};
struct Atanh {
  static constexpr GradientReads keeps = GradientReads::input;
  template <class T>
  T value(T x) const {
    return std::atanh(x);
  }
  template <class T>
  T slope(T x) const {
    return 1 / (1 - x * x);
  }
};

}  // namespace

Tensor sin(const Tensor& x) {
  return unary("sin", x, Sin{});
}
Tensor cos(const Tensor& x) {
  return unary("cos", x, Cos{});
}
Tensor tan(const Tensor& x) {
  return unary("tan", x, Tan{});
}
Tensor asin(const Tensor& x) {
  return unary("asin", x, Asin{});
}
Tensor acos(const Tensor& x) {
  return unary("acos", x, Acos{});
}
Tensor atan(const Tensor& x) {
  return unary("atan", x, Atan{});
}
Tensor sinh(const Tensor& x) {
  return unary("sinh", x, Sinh{});
}
Tensor cosh(const Tensor& x) {
  return unary("cosh", x, Cosh{});
}
Tensor asinh(const Tensor& x) {
  return unary("asinh", x, Asinh{});
}
Tensor acosh(const Tensor& x) {
  return unary("acosh", x, Acosh{});
}
Tensor atanh(const Tensor& x) {
  return unary("atanh", x, Atanh{});
}

}  // namespace maskgrad
