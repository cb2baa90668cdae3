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

  /// dy times factors, and 0 where dy is: there nothing of the step is read. Where values may be
  /// `odd`, not finite, 0 from the first factor of 0 on, as in operations one after the other.
  template <bool odd, class... Factors>
  [[gnu::always_inline]] static vec down(vec dy, Factors... factors) {
    vec share = dy;
    if constexpr (odd) {
      ((share = ((share == vec{}) | (factors == vec{})) ? vec{} : share * factors), ...);
      return share;
    }
    ((share = share * factors), ...);
    return dy == vec{} ? vec{} : share;
  }
  /// What of dh comes to the gate z of z h + (1 - z) n.
  template <bool odd>
  [[gnu::always_inline]] static vec down_update(vec dh, vec h, vec n, vec z) {
    const vec plain = down<odd>(dh, h - n, z, T{1} - z);
    if constexpr (!odd) return plain;
    const vec apart = down<odd>(down<odd>(dh, h) - down<odd>(dh, n), z, T{1} - z);
    const vec all = (dh - dh) + (h - h) + (n - n);
    return all == vec{} ? plain : apart;
  }

  template <bool odd>
  [[gnu::always_inline]] static vec simple(const Gradient& d, vec dh, vec h) {
    d.put(0, down<odd>(dh, T{1} - h * h));
    return vec{};
  }

  template <bool odd>
  [[gnu::always_inline]] static vec gru(const Gradient& d, const T* p, vec dh, vec h) {
    const vec z = get(p, 1), r = get(p, 2), n = get(p, 3);
    const vec dn = down<odd>(dh, T{1} - z, T{1} - n * n);
    d.put(0, down<odd>(dn, r));
    d.put(1, down_update<odd>(dh, h, n, z));
    d.put(2, down<odd>(dn, get(p, 0), r, T{1} - r));
    d.put(3, dn);
    return down<odd>(dh, z);
  }

  template <bool odd>
  [[gnu::always_inline]] static vec gru_new(const Gradient& d, const T* p, vec dh, vec h) {
    const vec z = get(p, 0), n = get(p, 2);
    d.put(0, down_update<odd>(dh, h, n, z));
    d.put(2, down<odd>(dh, T{1} - z, T{1} - n * n));
    return down<odd>(dh, z);
  }
  /// From the gradient of r h: that of r; what of it goes to h.
  template <bool odd>
  [[gnu::always_inline]] static vec gru_reset(const Gradient& d, vec r, vec dreset, vec h) {
    d.put(1, down<odd>(dreset, h, r, T{1} - r));
    return down<odd>(dreset, r);
  }

  template <bool odd>
  [[gnu::always_inline]] static vec lstm(const Gradient& d, const T* p, vec dh, vec c, vec c_prev,
                                         vec dc) {
    const vec i = get(p, 0), f = get(p, 1), g = get(p, 2), o = get(p, 3);
    const vec tanh_c = M::tanh(c);
    dc += down<odd>(dh, o, T{1} - tanh_c * tanh_c);
    d.put(0, down<odd>(dc, g, i, T{1} - i));
    d.put(1, down<odd>(dc, c_prev, f, T{1} - f));
    d.put(2, down<odd>(dc, i, T{1} - g * g));
    d.put(3, down<odd>(dh, tanh_c, o, T{1} - o));
    return down<odd>(dc, f);
  }
};

}  // namespace maskgrad::kernels::recurrent
