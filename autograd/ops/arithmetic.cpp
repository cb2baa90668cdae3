#include <maskgrad/autograd/ops/arithmetic.hpp>

#include <cmath>

#include <maskgrad/autograd/broadcast.hpp>
#include <maskgrad/autograd/extend.hpp>

namespace maskgrad {
namespace {

// Each: the value, and what of dy goes to a and to b; `reads` where that needs a and b.
struct Add {
  static constexpr bool reads = false;
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
  static constexpr bool reads = false;
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
    return dy * b;
  }
  template <class T>
  static T db(T dy, T a, T) {
    return dy * a;
  }
};
struct Divide {
  static constexpr bool reads = true;
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
struct Power {
  static constexpr bool reads = true;
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
struct Maximum {
  static constexpr bool reads = true;
  template <class T>
  static T value(T a, T b) {
    return a > b || a != a ? a : b;
  }
  template <class T>
  static T da(T dy, T a, T b) {
    return a > b ? dy : (a == b ? dy / 2 : T(0));
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
    return a < b || a != a ? a : b;
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

template <class Op>
Tensor forward(const Broadcast& plan, const Tensor& a, const Tensor& b) {
  Tensor y = rows::make(plan.shape, a.dtype(), plan.mask);
  dispatch(a.dtype(), [&]<class T>() {
    if constexpr (!std::is_same_v<T, bool>) {
      const T *pa = rows::of<T>(a).data(), *pb = rows::of<T>(b).data();
      T* py = rows::of_mutable<T>(y).data();
      kernels::for_each_pair(plan, [=](std::int64_t i, std::int64_t ia, std::int64_t ib) {
        py[i] = Op::template value<T>(pa[ia], pb[ib]);
      });
    }
  });
  return y;
}

/// Adds what goes to input `which` to its gradient. A tensor without values stands for one that is
/// not read.
template <class Op, int which>
void backward(const Broadcast& plan, const Tensor& dy, const Tensor* a, const Tensor* b,
              Grads& grads) {
  if (!grads.wants(which)) return;
  dispatch_real("backward", dy.dtype(), [&]<class T>() {
    const T* pd = rows::of<T>(dy).data();
    const T* pa = a ? rows::of<T>(*a).data() : nullptr;
    const T* pb = b ? rows::of<T>(*b).data() : nullptr;
    T* to = grads.into<T>(which).data();
    kernels::for_each_pair(plan, [=](std::int64_t i, std::int64_t ia, std::int64_t ib) {
      const T x = Op::reads ? pa[ia] : T(0), z = Op::reads ? pb[ib] : T(0);
      to[which == 0 ? ia : ib] +=
          which == 0 ? Op::template da<T>(pd[i], x, z) : Op::template db<T>(pd[i], x, z);
    });
  });
}

template <class Op>
Tensor binary(std::string_view name, const Tensor& a, const Tensor& b) {
  check::numeric(name, a);
  check::same_dtype(name, a, b);
  const Broadcast plan(name, a, b);
  if (a.is_meta() || b.is_meta()) return rows::make_meta(plan.shape, a.dtype(), plan.mask);
  const Tensor y = forward<Op>(plan, a, b);
  if constexpr (Op::reads) {
    return record(name, y, {a, b},
                  [plan, a = Saved(a), b = Saved(b)](const Tensor& dy, Grads& grads) {
                    backward<Op, 0>(plan, dy, &a.get(), &b.get(), grads);
                    backward<Op, 1>(plan, dy, &a.get(), &b.get(), grads);
                  });
  } else {
    return record(name, y, {a, b}, [plan](const Tensor& dy, Grads& grads) {
      backward<Op, 0>(plan, dy, nullptr, nullptr, grads);
      backward<Op, 1>(plan, dy, nullptr, nullptr, grads);
    });
  }
}

template <class Compare>
Tensor compare(std::string_view name, const Tensor& a, const Tensor& b) {
  check::same_dtype(name, a, b);
  const Broadcast plan(name, a, b);
  if (a.is_meta() || b.is_meta()) return rows::make_meta(plan.shape, DType::boolean, plan.mask);
  Tensor y = rows::make(plan.shape, DType::boolean, plan.mask);
  dispatch(a.dtype(), [&]<class T>() {
    const T *pa = rows::of<T>(a).data(), *pb = rows::of<T>(b).data();
    bool* py = rows::of_mutable<bool>(y).data();
    kernels::for_each_pair(plan, [=](std::int64_t i, std::int64_t ia, std::int64_t ib) {
      py[i] = Compare{}(pa[ia], pb[ib]);
    });
  });
  return y;
}

Tensor number(double value, const Tensor& like) {
  return scalar(value, like.dtype());
}

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
Tensor power(const Tensor& a, const Tensor& b) {
  check::real("power", a);
  return binary<Power>("power", a, b);
}
Tensor maximum(const Tensor& a, const Tensor& b) {
  return binary<Maximum>("maximum", a, b);
}
Tensor minimum(const Tensor& a, const Tensor& b) {
  return binary<Minimum>("minimum", a, b);
}

Tensor equal(const Tensor& a, const Tensor& b) {
  return compare<std::equal_to<>>("equal", a, b);
}
Tensor not_equal(const Tensor& a, const Tensor& b) {
  return compare<std::not_equal_to<>>("not_equal", a, b);
}
Tensor less(const Tensor& a, const Tensor& b) {
  return compare<std::less<>>("less", a, b);
}
Tensor less_equal(const Tensor& a, const Tensor& b) {
  return compare<std::less_equal<>>("less_equal", a, b);
}
Tensor greater(const Tensor& a, const Tensor& b) {
  return compare<std::greater<>>("greater", a, b);
}
Tensor greater_equal(const Tensor& a, const Tensor& b) {
  return compare<std::greater_equal<>>("greater_equal", a, b);
}

Tensor operator+(const Tensor& a, double b) {
  return add(a, number(b, a));
}
Tensor operator+(double a, const Tensor& b) {
  return add(number(a, b), b);
}
Tensor operator-(const Tensor& a, double b) {
  return subtract(a, number(b, a));
}
Tensor operator-(double a, const Tensor& b) {
  return subtract(number(a, b), b);
}
Tensor operator*(const Tensor& a, double b) {
  return multiply(a, number(b, a));
}
Tensor operator*(double a, const Tensor& b) {
  return multiply(number(a, b), b);
}
Tensor operator/(const Tensor& a, double b) {
  return divide(a, number(b, a));
}
Tensor operator/(double a, const Tensor& b) {
  return divide(number(a, b), b);
}
Tensor operator-(const Tensor& a) {
  return multiply(a, number(-1, a));
}
Tensor power(const Tensor& a, double b) {
  return power(a, number(b, a));
}
Tensor maximum(const Tensor& a, double b) {
  return maximum(a, number(b, a));
}
Tensor minimum(const Tensor& a, double b) {
  return minimum(a, number(b, a));
}

}  // namespace maskgrad
