#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>

#include <cmath>

#include <maskgrad/autograd/ops/elementwise/binary.hpp>

namespace maskgrad {
namespace {

using binary_op::binary;
using binary_op::number;

struct Add {
  static constexpr bool reads = false, passes[2] = {true, true};
  template <class T>
  static T value(T a, T b) {
    return a + b;
  }
  template <class T>
  static T da(T dy, T, T) {
    return dy;
  }
  template <class T>
  static T db(T dy, T, T) {
    return dy;
  }
};
struct Subtract {
  static constexpr bool reads = false, passes[2] = {true, false};
  template <class T>
  static T value(T a, T b) {
    return a - b;
  }
  template <class T>
  static T da(T dy, T, T) {
    return dy;
  }
  template <class T>
  static T db(T dy, T, T) {
    return -dy;
  }
};
struct Multiply {
  static constexpr bool reads = true;
  template <class T>
  static T value(T a, T b) {
    return a * b;
  }
  template <class T>
  static T da(T dy, T, T b) {
    return kernels::selected(dy, b);
  }
  template <class T>
  static T db(T dy, T a, T) {
    return kernels::selected(dy, a);
  }
};
struct Divide {
  static constexpr bool reads = true, reals = true;
  template <class T>
  static T value(T a, T b) {
    return a / b;
  }
  template <class T>
  static T da(T dy, T, T b) {
    return dy / b;
  }
  template <class T>
  static T db(T dy, T a, T b) {
    return -dy * a / (b * b);
  }
};
// Written so that nothing branches, for which loops become vectors.
struct Maximum {
  static constexpr bool reads = true;
  template <class T>
  static T value(T a, T b) {
    return ((a > b) | (a != a)) ? a : b;
  }
  template <class T>
  static T da(T dy, T a, T b) {
    const T own = a > b ? dy : T(0), half = dy / 2;
    return a == b ? half : own;
  }
  template <class T>
  static T db(T dy, T a, T b) {
    return da(dy, b, a);
  }
};
struct Minimum {
  static constexpr bool reads = true;
  template <class T>
  static T value(T a, T b) {
    return ((a < b) | (a != a)) ? a : b;
  }
  template <class T>
  static T da(T dy, T a, T b) {
    return Maximum::da(dy, b, a);
  }
  template <class T>
  static T db(T dy, T a, T b) {
    return Maximum::da(dy, a, b);
  }
};

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
  return binary<Add>("add", a, b);
}
Tensor subtract(const Tensor& a, const Tensor& b) {
  return binary<Subtract>("subtract", a, b);
}
Tensor multiply(const Tensor& a, const Tensor& b) {
  return binary<Multiply>("multiply", a, b);
}
Tensor divide(const Tensor& a, const Tensor& b) {
  check::real("divide", a);
  return binary<Divide>("divide", a, b);
}
Tensor maximum(const Tensor& a, const Tensor& b) {
  return binary<Maximum>("maximum", a, b);
}
Tensor minimum(const Tensor& a, const Tensor& b) {
  return binary<Minimum>("minimum", a, b);
}

Tensor operator+(const Tensor& a, double b) {
  return add(a, number("add", b, a));
}
Tensor operator+(double a, const Tensor& b) {
  return add(number("add", a, b), b);
}
Tensor operator-(const Tensor& a, double b) {
  return subtract(a, number("subtract", b, a));
}
Tensor operator-(double a, const Tensor& b) {
  return subtract(number("subtract", a, b), b);
}
Tensor operator*(const Tensor& a, double b) {
  return multiply(a, number("multiply", b, a));
}
Tensor operator*(double a, const Tensor& b) {
  return multiply(number("multiply", a, b), b);
}
Tensor operator/(const Tensor& a, double b) {
  return divide(a, number("divide", b, a));
}
Tensor operator/(double a, const Tensor& b) {
  return divide(number("divide", a, b), b);
}
Tensor operator-(const Tensor& a) {
  return multiply(a, number("multiply", -1, a));
}
Tensor maximum(const Tensor& a, double b) {
  return maximum(a, number("maximum", b, a));
}
Tensor minimum(const Tensor& a, double b) {
  return minimum(a, number("minimum", b, a));
}

}  // namespace maskgrad
