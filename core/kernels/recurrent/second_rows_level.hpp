#pragma once

#include <maskgrad/core/kernels/recurrent/second_rows.hpp>

/// SecondRows of a level. All that stands here has the level in its type, so that the linker does
/// not take one level's code for another's.
namespace maskgrad::kernels::recurrent {

/// A number and how it changes.
template <class L, class T>
struct Dual {
  T v, d;
  friend Dual operator+(Dual a, Dual b) { return {a.v + b.v, a.d + b.d}; }
  friend Dual operator-(Dual a, Dual b) { return {a.v - b.v, a.d - b.d}; }
  friend Dual operator*(Dual a, Dual b) { return {a.v * b.v, a.d * b.v + a.v * b.d}; }
  friend Dual operator-(T a, Dual b) { return {a - b.v, -b.d}; }
};

template <class L, class T>
struct SecondRowsCode {
  using D = Dual<L, T>;
  using In = ConstRow<T>;
  using Out = Row<T>;
  static constexpr T one = 1;

  // The pointers as the compiler is to see them: no array overlaps another.
  struct Read {
    const T* __restrict v, * __restrict d;
    explicit Read(In x) : v(x.v), d(x.d) {}
    D operator[](std::int64_t i) const { return {v[i], d[i]}; }
  };
  struct Write {
    T* __restrict v, * __restrict d;
    explicit Write(Out x) : v(x.v), d(x.d) {}
    D operator[](std::int64_t i) const { return {v[i], d[i]}; }
    void put(std::int64_t i, D x) const {
      v[i] = x.v;
      d[i] = x.d;
    }
  };
  static Out at(Out x, std::int64_t i) { return {x.v + i, x.d + i}; }
  static In at(In x, std::int64_t i) { return {x.v + i, x.d + i}; }

  static void add(std::int64_t n, Out to_, In from_) {
    const Write to(to_);
    const Read from(from_);
    for (std::int64_t i = 0; i < n; ++i) to.put(i, to[i] + from[i]);
  }
  static void after_tanh(std::int64_t n, Out x_) {
    const Write x(x_);
    for (std::int64_t i = 0; i < n; ++i) x.d[i] *= one - x.v[i] * x.v[i];
  }
  static void after_sigmoid(std::int64_t n, Out x_) {
    const Write x(x_);
    for (std::int64_t i = 0; i < n; ++i) x.d[i] *= x.v[i] * (one - x.v[i]);
  }
  static void multiply(std::int64_t n, Out y_, In a_, In b_) {
    const Write y(y_);
    const Read a(a_), b(b_);
    for (std::int64_t i = 0; i < n; ++i) y.put(i, a[i] * b[i]);
  }
  static void add_product(std::int64_t n, Out sum_, In a_, In b_) {
    const Write sum(sum_);
    const Read a(a_), b(b_);
    for (std::int64_t i = 0; i < n; ++i) sum.put(i, sum[i] + a[i] * b[i]);
  }
  static void gru(std::int64_t n, Out h_, In z_, In next_) {
    const Write h(h_);
    const Read z(z_), next(next_);
    for (std::int64_t i = 0; i < n; ++i) h.put(i, z[i] * h[i] + (one - z[i]) * next[i]);
  }
  static void lstm(std::int64_t n, Out c_, In keep_, In in_, In next_) {
    const Write c(c_);
    const Read keep(keep_), in(in_), next(next_);
    for (std::int64_t i = 0; i < n; ++i) c.put(i, keep[i] * c[i] + in[i] * next[i]);
  }

  static void simple_back(std::int64_t n, Out dh_, Out d_, In y_) {
    const Write dh(dh_), d(d_);
    const Read y(y_);
    for (std::int64_t i = 0; i < n; ++i) {
      d.put(i, dh[i] * (one - y[i] * y[i]));
      dh.put(i, {0, 0});
    }
  }
  static void gru_back(std::int64_t n, Out dh_, Out dz_, Out dnext_, In z_, In next_, In h_) {
    const Write dh(dh_), dz(dz_), dnext(dnext_);
    const Read z(z_), next(next_), h(h_);
    for (std::int64_t i = 0; i < n; ++i) {
      const D up = dh[i];
      dz.put(i, up * (h[i] - next[i]) * z[i] * (one - z[i]));
      dnext.put(i, up * (one - z[i]) * (one - next[i] * next[i]));
      dh.put(i, up * z[i]);
    }
  }
  static void reset_after_back(std::int64_t n, Out dq_, Out dr_, In dnext_, In r_, In q_) {
    const Write dq(dq_), dr(dr_);
    const Read dnext(dnext_), r(r_), q(q_);
    for (std::int64_t i = 0; i < n; ++i) {
      dr.put(i, dnext[i] * q[i] * r[i] * (one - r[i]));
      dq.put(i, dnext[i] * r[i]);
    }
  }
  static void reset_before_back(std::int64_t n, Out dh_, Out dr_, In dq_, In r_, In h_) {
    const Write dh(dh_), dr(dr_);
    const Read dq(dq_), r(r_), h(h_);
    for (std::int64_t i = 0; i < n; ++i) {
      dr.put(i, dq[i] * h[i] * r[i] * (one - r[i]));
      dh.put(i, dh[i] + dq[i] * r[i]);
    }
  }
  static void lstm_back(std::int64_t n, Out dh_, Out dc_, Out d_, In gates_, In c_, In tanh_c_) {
    const Write dh(dh_), dc(dc_), d0(d_), d1(at(d_, n)), d2(at(d_, 2 * n)), d3(at(d_, 3 * n));
    const Read in(gates_), keep(at(gates_, n)), next(at(gates_, 2 * n)), out(at(gates_, 3 * n));
    const Read c(c_), y(tanh_c_);
    for (std::int64_t i = 0; i < n; ++i) {
      const D up = dh[i], down = dc[i] + up * out[i] * (one - y[i] * y[i]);
      d0.put(i, down * next[i] * in[i] * (one - in[i]));
      d1.put(i, down * c[i] * keep[i] * (one - keep[i]));
      d2.put(i, down * in[i] * (one - next[i] * next[i]));
      d3.put(i, up * y[i] * out[i] * (one - out[i]));
      dc.put(i, down * keep[i]);
      dh.put(i, {0, 0});
    }
  }
};

template <class L, class T>
const SecondRows<T>& SecondRowsOf<L, T>::table() {
  static constexpr SecondRows<T> rows{
      SecondRowsCode<L, T>::add,
      SecondRowsCode<L, T>::after_tanh,
      SecondRowsCode<L, T>::after_sigmoid,
      SecondRowsCode<L, T>::multiply,
      SecondRowsCode<L, T>::add_product,
      SecondRowsCode<L, T>::gru,
      SecondRowsCode<L, T>::lstm,
      SecondRowsCode<L, T>::simple_back,
      SecondRowsCode<L, T>::gru_back,
      SecondRowsCode<L, T>::reset_after_back,
      SecondRowsCode<L, T>::reset_before_back,
      SecondRowsCode<L, T>::lstm_back,
  };
  return rows;
}

}  // namespace maskgrad::kernels::recurrent
