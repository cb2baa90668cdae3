#pragma once

#include <maskgrad/core/kernels/simd/math.hpp>
#include <maskgrad/core/kernels/simd/scan_blocks.hpp>

namespace maskgrad::kernels::simd {

/// A selective scan of a block, channels side by side in vectors: no sum but that over a row's
/// channels, for db and dc, crosses lanes.
template <class L, class T>
class ScanLevel {
  using V = Vec<L, T>;
  using vec = typename V::type;
  using M = Math<L, T>;

 public:
  [[gnu::always_inline]] ScanLevel(const SelectiveScan<T>& scan, const ScanBlock<T>& block)
      : p_(scan), b_(block), size_(scan.state * block.padded) {}

  [[gnu::always_inline]] void forward(T* y, T* saved) const {
    const auto length = p_.length[b_.sequence];
    for (std::int64_t k = 0; k < length; ++k) {
      if (saved && k % scan_chunk == 0) keep(b_.h, saved + slot(k));
      const auto r = row(k);
      for (std::int64_t v = 0; v < b_.n; v += V::lanes) {
        const auto count = b_.n - v;
        const vec delta = load(p_.delta, r, v), input = delta * load(p_.x, r, v);
        vec out{};
        for (std::int64_t s = 0; s < p_.state; ++s) {
          T* state = b_.h + s * b_.padded + v;
          const vec factor = M::exp(delta * V::load(b_.a + s * b_.padded + v));
          const vec h = next(factor, V::load(state), input * p_.b[r * p_.state + s]);
          V::store(state, h);
          out = out + h * p_.c[r * p_.state + s];
        }
        V::store(y + r * p_.inner + b_.from + v, out, count);
      }
    }
  }

  [[gnu::always_inline]] void backward(const SelectiveScanGradient<T>& g,
                                       const ScanSums<T>& sums) const {
    const auto length = p_.length[b_.sequence];
    const auto chunks = (length + scan_chunk - 1) / scan_chunk;
    for (std::int64_t chunk = chunks - 1; chunk >= 0; --chunk) {
      const auto begin = chunk * scan_chunk;
      const auto steps = length - begin < scan_chunk ? length - begin : scan_chunk;
      again(g.saved + slot(begin), begin, steps, sums);
      for (std::int64_t i = 0; i < size_; ++i) sums.da[i] = 0;
      for (std::int64_t j = steps - 1; j >= 0; --j) step_back(g, sums, row(begin + j), j);
      for (std::int64_t s = 0; s < p_.state; ++s) {
        double* to = sums.all + s * p_.inner + b_.from;
        const T* from = sums.da + s * b_.padded;
        for (std::int64_t i = 0; i < b_.n; ++i) to[i] += static_cast<double>(from[i]);
      }
    }
  }

 private:
  [[gnu::always_inline]] std::int64_t row(std::int64_t k) const {
    const auto at = p_.reverse ? p_.length[b_.sequence] - 1 - k : k;
    return p_.first[b_.sequence] + at;
  }
  /// Where the state before row k is kept: no two sequences share a place.
  [[gnu::always_inline]] std::int64_t slot(std::int64_t k) const {
    const auto place = p_.first[b_.sequence] / scan_chunk + b_.sequence + k / scan_chunk;
    return place * p_.state * p_.inner;
  }
  [[gnu::always_inline]] vec load(const T* x, std::int64_t r, std::int64_t v) const {
    return V::load(x + r * p_.inner + b_.from + v, b_.n - v);
  }
  [[gnu::always_inline]] void keep(const T* h, T* saved) const {
    for (std::int64_t s = 0; s < p_.state; ++s) {
      __builtin_memcpy(saved + s * p_.inner + b_.from, h + s * b_.padded,
                       static_cast<std::size_t>(b_.n) * sizeof(T));
    }
  }

  /// The states of a chunk's rows once more, and their factors.
  [[gnu::always_inline]] void again(const T* saved, std::int64_t begin, std::int64_t steps,
                                    const ScanSums<T>& sums) const {
    for (std::int64_t s = 0; s < p_.state; ++s) {
      for (std::int64_t i = 0; i < b_.padded; ++i) {
        sums.before[s * b_.padded + i] = i < b_.n ? saved[s * p_.inner + b_.from + i] : T(0);
      }
    }
    for (std::int64_t j = 0; j < steps; ++j) {
      const auto r = row(begin + j);
      const T* before = sums.before + j * size_;
      T *behind = sums.before + (j + 1) * size_, *factors = sums.factors + j * size_;
      for (std::int64_t v = 0; v < b_.n; v += V::lanes) {
        const vec delta = load(p_.delta, r, v), input = delta * load(p_.x, r, v);
        for (std::int64_t s = 0; s < p_.state; ++s) {
          const auto at = s * b_.padded + v;
          const vec factor = M::exp(delta * V::load(b_.a + at));
          V::store(factors + at, factor);
          const vec term = input * p_.b[r * p_.state + s];
          V::store(behind + at, next(factor, V::load(before + at), term));
        }
      }
    }
  }

  /// A factor of 0 forgets infinity and NaN too.
  [[gnu::always_inline]] static vec next(vec factor, vec h, vec term) {
    return factor * (factor == T(0) ? vec{} : h) + term;
  }
  /// `share`, what of g goes on, and 0 where g is.
  [[gnu::always_inline]] static vec by(vec g, vec share) { return g == T(0) ? vec{} : share; }

  [[gnu::always_inline]] void step_back(const SelectiveScanGradient<T>& g, const ScanSums<T>& sums,
                                        std::int64_t r, std::int64_t j) const {
    const auto states = p_.state;
    for (std::int64_t i = 0; i < 2 * states * V::lanes; ++i) sums.lanes[i] = 0;
    for (std::int64_t v = 0; v < b_.n; v += V::lanes) channels_back(g, sums, r, j, v);
    for (std::int64_t s = 0; s < states; ++s) {
      sums.db[r * states + s] = across(sums.lanes + s * V::lanes);
      sums.dc[r * states + s] = across(sums.lanes + (states + s) * V::lanes);
    }
  }

  [[gnu::always_inline]] static T across(const T* lanes) {
    T part[V::lanes];
    for (int i = 0; i < V::lanes; ++i) part[i] = lanes[i];
    for (int half = V::lanes / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; ++i) part[i] += part[i + half];
    }
    return part[0];
  }

  /// A vector of channels of one row; `j`: its place in the chunk.
  [[gnu::always_inline]] void channels_back(const SelectiveScanGradient<T>& g,
                                            const ScanSums<T>& sums, std::int64_t r, std::int64_t j,
                                            std::int64_t v) const {
    const vec delta = load(p_.delta, r, v), x = load(p_.x, r, v), input = delta * x;
    const vec dy = g.dy ? load(g.dy, r, v) : vec{};
    vec dinput{}, ddelta{};
    for (std::int64_t s = 0; s < p_.state; ++s) {
      const auto at = s * b_.padded + v;
      T *carry = b_.h + at, *da = sums.da + at;
      T *db = sums.lanes + s * V::lanes, *dc = sums.lanes + (p_.state + s) * V::lanes;
      const vec before = V::load(sums.before + j * size_ + at);
      const vec behind = V::load(sums.before + (j + 1) * size_ + at);
      const vec factor = V::load(sums.factors + j * size_ + at);
      const vec dh = V::load(carry) + by(dy, dy * p_.c[r * p_.state + s]);
      V::store(dc, V::load(dc) + by(dy, dy * behind));
      V::store(db, V::load(db) + by(dh, dh * input));
      dinput = dinput + by(dh, dh * p_.b[r * p_.state + s]);
      const vec on = by(factor, by(dh, dh * factor));
      V::store(carry, on);
      const vec dexponent = by(on, on * before);
      ddelta = ddelta + by(dexponent, dexponent * V::load(b_.a + at));
      V::store(da, V::load(da) + by(dexponent, dexponent * delta));
    }
    const auto at = r * p_.inner + b_.from + v;
    if (g.dx) V::store(g.dx + at, by(dinput, dinput * delta), b_.n - v);
    if (g.ddelta) V::store(g.ddelta + at, ddelta + by(dinput, dinput * x), b_.n - v);
  }

  const SelectiveScan<T>& p_;
  const ScanBlock<T>& b_;
  std::int64_t size_;
};

template <class L, class T>
void scan_forward(const SelectiveScan<T>& scan, const ScanBlock<T>& block, T* y, T* saved) {
  ScanLevel<L, T>(scan, block).forward(y, saved);
}
template <class L, class T>
void scan_backward(const SelectiveScan<T>& scan, const SelectiveScanGradient<T>& gradient,
                   const ScanBlock<T>& block, const ScanSums<T>& sums) {
  ScanLevel<L, T>(scan, block).backward(gradient, sums);
}

template <class L, class T>
ScanBlocks<T> scan_blocks_at() {
  return {&scan_forward<L, T>, &scan_backward<L, T>};
}

}  // namespace maskgrad::kernels::simd
