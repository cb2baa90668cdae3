#pragma once

#include <maskgrad/core/kernels/recurrent/layout.hpp>
#include <maskgrad/core/kernels/simd/math.hpp>

namespace maskgrad::kernels::recurrent {

/// The gates of one row of one panel: forward turns sums of products into what backward reads, in
/// place, and gives h'.
template <class L, class T, Form form>
struct Gates {
  using V = simd::Vec<L, T>;
  using M = simd::Math<L, T>;
  using vec = typename V::type;

  [[gnu::always_inline]] static vec get(const T* p, int vector) {
    return V::load(p + vector * V::lanes);
  }
  [[gnu::always_inline]] static void put(T* p, int vector, vec v) {
    V::store(p + vector * V::lanes, v);
  }

  [[gnu::always_inline]] static vec simple(const T* p) { return M::tanh(get(p, 0)); }

  [[gnu::always_inline]] static vec gru(T* p, vec h) {
    const vec z = M::sigmoid(get(p, 1));
    const vec r = M::sigmoid(get(p, 2));
    const vec n = M::tanh(get(p, 3) + r * get(p, 0));
    put(p, 1, z);
    put(p, 2, r);
    put(p, 3, n);
    return n + z * (h - n);
  }

  /// reset_after = false, before the second product: z and r, and r h for that product.
  [[gnu::always_inline]] static vec gru_reset(T* p, vec h) {
    const vec r = M::sigmoid(get(p, 1));
    put(p, 0, M::sigmoid(get(p, 0)));
    put(p, 1, r);
    return r * h;
  }
  [[gnu::always_inline]] static vec gru_new(T* p, vec h) {
    const vec n = M::tanh(get(p, 2));
    put(p, 2, n);
    return n + get(p, 0) * (h - n);
  }

  [[gnu::always_inline]] static vec lstm(T* p, vec& c) {
    const vec i = M::sigmoid(get(p, 0));
    const vec f = M::sigmoid(get(p, 1));
    const vec g = M::tanh(get(p, 2));
    const vec o = M::sigmoid(get(p, 3));
    put(p, 0, i);
    put(p, 1, f);
    put(p, 2, g);
    put(p, 3, o);
    c = f * c + i * g;
    return o * M::tanh(c);
  }

  /// Gradients of the sums of products, at d; they return what of dh goes straight to the step
  /// before. Lanes past the units (`count` on) must not hold NaN: what reads d multiplies by zeros.
  struct Gradient {
    T* d;
    std::int64_t count;
    vec* bias;
    [[gnu::always_inline]] void put(int vector, vec v) const {
      v = V::keep(v, count);
      V::store(d + vector * V::lanes, v);
      bias[vector] += v;
    }
  };

  /// `share`, what of dy goes on, and 0 where dy is: there nothing of the step is read.
  [[gnu::always_inline]] static vec selected_by(vec dy, vec share) {
    return dy == vec{} ? vec{} : share;
  }

  [[gnu::always_inline]] static vec simple(const Gradient& d, vec dh, vec h) {
    d.put(0, selected_by(dh, dh * (T{1} - h * h)));
    return vec{};
  }

  [[gnu::always_inline]] static vec gru(const Gradient& d, const T* p, vec dh, vec h) {
    const vec z = get(p, 1), r = get(p, 2), n = get(p, 3);
    const vec dn = selected_by(dh, dh * (T{1} - z) * (T{1} - n * n));
    d.put(0, selected_by(dn, dn * r));
    d.put(1, selected_by(dh, dh * (h - n) * z * (T{1} - z)));
    d.put(2, selected_by(dn, dn * get(p, 0) * r * (T{1} - r)));
    d.put(3, dn);
    return selected_by(dh, dh * z);
  }

  [[gnu::always_inline]] static vec gru_new(const Gradient& d, const T* p, vec dh, vec h) {
    const vec z = get(p, 0), n = get(p, 2);
    d.put(0, selected_by(dh, dh * (h - n) * z * (T{1} - z)));
    d.put(2, selected_by(dh, dh * (T{1} - z) * (T{1} - n * n)));
    return selected_by(dh, dh * z);
  }
  /// From the gradient of r h: that of r; what of it goes to h.
  [[gnu::always_inline]] static vec gru_reset(const Gradient& d, vec r, vec dreset, vec h) {
    d.put(1, selected_by(dreset, dreset * h * r * (T{1} - r)));
    return selected_by(dreset, dreset * r);
  }

  [[gnu::always_inline]] static vec lstm(const Gradient& d, const T* p, vec dh, vec c, vec c_prev,
                                         vec dc) {
    const vec i = get(p, 0), f = get(p, 1), g = get(p, 2), o = get(p, 3);
    const vec tanh_c = M::tanh(c);
    dc += selected_by(dh, dh * o * (T{1} - tanh_c * tanh_c));
    d.put(0, selected_by(dc, dc * g * i * (T{1} - i)));
    d.put(1, selected_by(dc, dc * c_prev * f * (T{1} - f)));
    d.put(2, selected_by(dc, dc * i * (T{1} - g * g)));
    d.put(3, selected_by(dh, dh * tanh_c * o * (T{1} - o)));
    return selected_by(dc, dc * f);
  }
};

}  // namespace maskgrad::kernels::recurrent
