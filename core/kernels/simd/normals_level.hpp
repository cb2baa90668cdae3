#pragma once

#include <maskgrad/core/kernels/simd/normal.hpp>
#include <maskgrad/core/kernels/simd/normals.hpp>

namespace maskgrad::kernels::simd {

template <class L>
void Normals<L>::run(const std::uint32_t* words, std::int64_t pairs, double* z) {
  using V = Vec<L, double>;
  for (std::int64_t at = 0; at < pairs; at += V::lanes) {
    const auto count = pairs - at < V::lanes ? pairs - at : std::int64_t{V::lanes};
    // 1 - u is never 0; behind the last pair u is 0, of which the result is thrown away.
    double rest[V::lanes], turns[V::lanes] = {}, radius[V::lanes];
    for (int l = 0; l < V::lanes; ++l) rest[l] = 1;
    for (std::int64_t l = 0; l < count; ++l) {
      rest[l] = 1 - words[2 * (at + l)] * 0x1p-32;
      turns[l] = words[2 * (at + l) + 1] * 0x1p-32;
    }
    V::store(radius, Math<L, double>::log(V::load(rest)) * -2.0);
    for (int l = 0; l < V::lanes; ++l) radius[l] = __builtin_sqrt(radius[l]);
    const auto turn = Normal<L, double>::turn(V::load(turns));
    double cosine[V::lanes], sine[V::lanes];
    V::store(cosine, V::load(radius) * turn.cosine);
    V::store(sine, V::load(radius) * turn.sine);
    for (std::int64_t l = 0; l < count; ++l) {
      z[2 * (at + l)] = cosine[l];
      z[2 * (at + l) + 1] = sine[l];
    }
  }
}

}  // namespace maskgrad::kernels::simd
