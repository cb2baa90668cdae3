#pragma once

#include <maskgrad/core/kernels/simd/level.hpp>

namespace maskgrad::kernels::simd {
namespace detail {

#if defined(__x86_64__)
#if defined(__clang__)
#define MASKGRAD_AVX512 "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma"
#else
#define MASKGRAD_AVX512 "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,prefer-vector-width=512"
#endif
template <class F>
[[gnu::flatten, gnu::noinline, gnu::target(MASKGRAD_AVX512)]] void at_avx512(const F& f) {
  f();
}
template <class F>
[[gnu::flatten, gnu::noinline, gnu::target("avx2,fma")]] void at_avx2(const F& f) {
  f();
}
#undef MASKGRAD_AVX512
#endif

}  // namespace detail

/// f(), with what is inlined into it compiled for the level in use: for plain loops over values,
/// which the compiler makes vectors of, where a kernel of their own would be one for each formula.
template <class F>
void at_level(const F& f) {
#if defined(__x86_64__)
  if (level() == Level::avx512) return detail::at_avx512(f);
  if (level() == Level::avx2) return detail::at_avx2(f);
#endif
  f();
}

}  // namespace maskgrad::kernels::simd
