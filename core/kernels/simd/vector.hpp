#pragma once

#include <cstdint>
#include <type_traits>

namespace maskgrad::kernels::simd {

/// A vector of T at level L, with arithmetic from the compiler. Everything is inlined: nothing of
/// this may stand in an object file under a name that two levels share.
template <class L, class T>
struct Vec {
  static constexpr int lanes = L::bytes / static_cast<int>(sizeof(T));
  using Int = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  typedef T type __attribute__((vector_size(L::bytes)));
  typedef Int bits __attribute__((vector_size(L::bytes)));

  [[gnu::always_inline]] static type splat(T x) { return x - type{}; }
  [[gnu::always_inline]] static bits splat_bits(Int x) { return x - bits{}; }

  [[gnu::always_inline]] static type load(const T* p) {
    type v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
  }
  [[gnu::always_inline]] static void store(T* p, type v) { __builtin_memcpy(p, &v, sizeof v); }

  /// The first `count` lanes from memory, zeros behind them.
  [[gnu::always_inline]] static type load(const T* p, std::int64_t count) {
    if (count >= lanes) return load(p);
    T part[lanes] = {};
    for (std::int64_t i = 0; i < count; ++i) part[i] = p[i];
    return load(part);
  }
  [[gnu::always_inline]] static void store(T* p, type v, std::int64_t count) {
    if (count >= lanes) return store(p, v);
    T part[lanes];
    store(part, v);
    for (std::int64_t i = 0; i < count; ++i) p[i] = part[i];
  }
  /// Zeros in the lanes from `count` on, whatever stood there.
  [[gnu::always_inline]] static type keep(type v, std::int64_t count) {
    if (count >= lanes) return v;
    T part[lanes];
    store(part, v);
    return load(part, count);
  }

  [[gnu::always_inline]] static bits as_bits(type v) { return (bits)v; }
  [[gnu::always_inline]] static type from_bits(bits v) { return (type)v; }
};

}  // namespace maskgrad::kernels::simd
