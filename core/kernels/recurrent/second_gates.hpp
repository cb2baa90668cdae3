#pragma once

#include <maskgrad/core/kernels/recurrent/gates.hpp>

namespace maskgrad::kernels::recurrent {

/// Vectors of numbers, and how they change. The level stands in its name, as in all that a scan
/// calls.
template <class L, class T>
struct Dual {
  using vec = typename simd::Vec<L, T>::type;
  vec v, d;
  [[gnu::always_inline]] friend Dual operator+(Dual a, Dual b) { return {a.v + b.v, a.d + b.d}; }
  [[gnu::always_inline]] friend Dual operator-(Dual a, Dual b) { return {a.v - b.v, a.d - b.d}; }
  [[gnu::always_inline]] friend Dual operator*(Dual a, Dual b) {
    return {a.v * b.v, a.d * b.v + a.v * b.d};
  }
  [[gnu::always_inline]] friend Dual operator-(T a, Dual b) { return {a - b.v, -b.d}; }
};

/// Gates of one row of one panel with what changes: `p` has their values, as Gates made them.
/// Forward turns how the sums change, at `m`, into how the gates do, and gives how h' does;
/// backward reads both.
template <class L, class T, Form form>
struct SecondGates {
  using V = simd::Vec<L, T>;
  using M = simd::Math<L, T>;
  using G = Gates<L, T, form>;
  using vec = typename V::type;
  using D = Dual<L, T>;

  /// How tanh or sigmoid, of which y is the value, changes with its argument.
  [[gnu::always_inline]] static vec tanh(vec y, vec d) { return d * (T{1} - y * y); }
  [[gnu::always_inline]] static vec sigmoid(vec y, vec d) { return d * (y * (T{1} - y)); }
  [[gnu::always_inline]] static vec sigmoid(const T* p, T* m, int vector) {
    const vec d = sigmoid(G::get(p, vector), G::get(m, vector));
    G::put(m, vector, d);
    return d;
  }
  [[gnu::always_inline]] static D get(const T* p, const T* m, int vector) {
    return {G::get(p, vector), G::get(m, vector)};
  }
  [[gnu::always_inline]] static D tanh_of(D c) {
    const vec y = M::tanh(c.v);
    return {y, tanh(y, c.d)};
  }

  [[gnu::always_inline]] static vec gru(const T* p, T* m, D h) {
    const vec z = G::get(p, 1), r = G::get(p, 2), n = G::get(p, 3);
    const vec dz = sigmoid(p, m, 1), dr = sigmoid(p, m, 2);
    const vec dn = tanh(n, G::get(m, 3) + dr * G::get(p, 0) + r * G::get(m, 0));
    G::put(m, 3, dn);
    return dn + dz * (h.v - n) + z * (h.d - dn);
  }
  /// Before the second product: how r h changes.
  [[gnu::always_inline]] static vec gru_reset(const T* p, T* m, D h) {
    sigmoid(p, m, 0);
    return sigmoid(p, m, 1) * h.v + G::get(p, 1) * h.d;
  }
  [[gnu::always_inline]] static vec gru_new(const T* p, T* m, D h) {
    const vec n = G::get(p, 2), dn = tanh(n, G::get(m, 2));
    G::put(m, 2, dn);
    return dn + G::get(m, 0) * (h.v - n) + G::get(p, 0) * (h.d - dn);
  }
  /// `c` is the cell behind the step and `before` that before it; c.d is set.
  [[gnu::always_inline]] static vec lstm(const T* p, T* m, D& c, D before) {
    sigmoid(p, m, 0);
    sigmoid(p, m, 1);
    G::put(m, 2, tanh(G::get(p, 2), G::get(m, 2)));
    sigmoid(p, m, 3);
    c.d = (get(p, m, 1) * before + get(p, m, 0) * get(p, m, 2)).d;
    return (get(p, m, 3) * tanh_of(c)).d;
  }

  /// Gradients of the sums and how they change, in two rows, at d; `bias` sums the changes. They
  /// return what of dh goes straight to the step before. Lanes past the units hold zeros.
  struct Gradient {
    T* d;
    std::int64_t count;
    vec* bias;
    [[gnu::always_inline]] void put(int vector, D x) const {
      constexpr int width = panel_shape<form>.vectors * V::lanes;
      x.d = V::keep(x.d, count);
      V::store(d + vector * V::lanes, V::keep(x.v, count));
      V::store(d + width + vector * V::lanes, x.d);
      bias[vector] += x.d;
    }
  };

  [[gnu::always_inline]] static D simple(const Gradient& d, D dh, D h) {
    d.put(0, dh * (T{1} - h * h));
    return {vec{}, vec{}};
  }
  [[gnu::always_inline]] static D gru(const Gradient& d, const T* p, const T* m, D dh, D h) {
    const D z = get(p, m, 1), r = get(p, m, 2), n = get(p, m, 3);
    const D dn = dh * (T{1} - z) * (T{1} - n * n);
    d.put(0, dn * r);
    d.put(1, dh * (h - n) * z * (T{1} - z));
    d.put(2, dn * get(p, m, 0) * r * (T{1} - r));
    d.put(3, dn);
    return dh * z;
  }
  [[gnu::always_inline]] static D gru_new(const Gradient& d, const T* p, const T* m, D dh, D h) {
    const D z = get(p, m, 0), n = get(p, m, 2);
    d.put(0, dh * (h - n) * z * (T{1} - z));
    d.put(2, dh * (T{1} - z) * (T{1} - n * n));
    return dh * z;
  }
  /// From the gradient of r h: that of r; what of it goes to h.
  [[gnu::always_inline]] static D gru_reset(const Gradient& d, D r, D dreset, D h) {
    d.put(1, dreset * h * r * (T{1} - r));
    return dreset * r;
  }
  [[gnu::always_inline]] static D lstm(const Gradient& d, const T* p, const T* m, D dh, D c,
                                       D before, D dc) {
    const D i = get(p, m, 0), f = get(p, m, 1), g = get(p, m, 2), o = get(p, m, 3);
    const D y = tanh_of(c);
    dc = dc + dh * o * (T{1} - y * y);
    d.put(0, dc * g * i * (T{1} - i));
    d.put(1, dc * before * f * (T{1} - f));
    d.put(2, dc * i * (T{1} - g * g));
    d.put(3, dh * y * o * (T{1} - o));
    return dc * f;
  }
};

}  // namespace maskgrad::kernels::recurrent
