#include <maskgrad/autograd/ops/noise/dropout.hpp>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/noise_places.hpp>
#include <maskgrad/core/kernels/simd/normals.hpp>

namespace maskgrad {
namespace {

// A noise draws for each value by what it is multiplied, of which 0 is selected, so that nothing
// reaches the result, and what is added: draw(words, factor, added).

/// `rate` of the values lose what they were.
struct Drop {
  std::uint32_t limit;
  double keep, kept_add = 0, dropped = 0;
  template <class T>
  void draw(const NoiseWords& w, T* factor, T* added) const {
    const auto by = static_cast<T>(keep), kept = static_cast<T>(kept_add);
    const auto lost = static_cast<T>(dropped);
    for (std::int64_t k = 0; k < w.n; ++k) {
      const bool drops = w.words[w.skip + k] < limit;
      factor[k] = drops ? T(0) : by;
      added[k] = drops ? lost : kept;
    }
  }
};

/// f(value, normal number) for each.
template <class F>
void each_normal(const NoiseWords& w, F&& f) {
  double normals[noise_words];
  kernels::simd::normals(w.words, (w.skip + w.n + 1) / 2, normals);
  for (std::int64_t k = 0; k < w.n; ++k) f(k, normals[w.skip + k]);
}
struct GaussianFactor {
  double stddev;
  template <class T>
  void draw(const NoiseWords& w, T* factor, T* added) const {
    std::fill_n(added, w.n, T(0));
    each_normal(w, [&](auto k, double z) { factor[k] = static_cast<T>(1 + stddev * z); });
  }
};
struct GaussianSum {
  static constexpr bool adds_alone = true;  ///< so gradients pass as they are
  double stddev;
  template <class T>
  void draw(const NoiseWords& w, T* factor, T* added) const {
    std::fill_n(factor, w.n, T(1));
    each_normal(w, [&](auto k, double z) { added[k] = static_cast<T>(stddev * z); });
  }
};

/// y = x * factor + added; where the factor is 0 nothing of x is left. Computed for all and then
/// selected, as no branch foresees chance.
template <class T>
void change(const T* x, const T* factor, const T* added, std::int64_t n, T* __restrict y) {
  for (std::int64_t k = 0; k < n; ++k) {
    const T passed = x[k] * factor[k] + added[k];
    y[k] = factor[k] == 0 ? added[k] : passed;
  }
}

std::uint32_t limit_of(double rate) {
  return static_cast<std::uint32_t>(rate * 0x1p32);
}

template <class Noise>
Tensor noisy(std::string_view op, const Tensor& x, Seed seed, bool whole_steps, Noise noise) {
  const NoisePlaces places = noise_places(x, seed, whole_steps);
  const auto apply = [op, places, noise](const Tensor& from, bool add) {
    Tensor to = rows::make(from.shape(), from.dtype(), from.mask());
    dispatch_real(op, from.dtype(), [&]<class T>() {
      const T* x = rows::of<T>(from).data();
      T* y = rows::of_mutable<T>(to).data();
      each_noise(places, [&](std::int64_t at, std::int64_t runs, const NoiseWords& words) {
        T factor[noise_values], added[noise_values];
        noise.draw(words, factor, added);
        if (!add) std::fill_n(added, words.n, T(0));
        for (const auto end = at + runs * places.features; at < end; at += places.features) {
          change(x + at, factor, added, words.n, y + at);
        }
      });
    });
    return to;
  };
  return record_symmetric(op, apply(x, true), x, [apply](const Tensor& dy) {
    if constexpr (requires { Noise::adds_alone; }) {
      return dy;
    } else {
      return apply(dy, false);
    }
  });
}

void check_rate(std::string_view op, const Tensor& x, double rate) {
  check::real(op, x);
  if (rate >= 0 && rate < 1) return;
  fail<OptionError>(op, "the rate is {}; expected a probability from 0 up to but not 1", rate);
}

bool nothing_to_do(const Tensor& x, double amount) {
  return !training() || amount == 0 || x.is_meta();
}

}  // namespace

Tensor dropout(const Tensor& x, double rate, Seed seed, bool whole_steps) {
  check_rate("dropout", x, rate);
  if (nothing_to_do(x, rate)) return x;
  return noisy("dropout", x, seed, whole_steps, Drop{limit_of(rate), 1 / (1 - rate)});
}

Tensor alpha_dropout(const Tensor& x, double rate, Seed seed, bool whole_steps) {
  check_rate("alpha_dropout", x, rate);
  if (nothing_to_do(x, rate)) return x;
  constexpr double lowest = -1.0507009873554805 * 1.6732632423543772;  // of selu
  const double scale = 1 / std::sqrt((1 - rate) * (1 + rate * lowest * lowest));
  const double move = -scale * lowest * rate;
  return noisy("alpha_dropout", x, seed, whole_steps,
               Drop{limit_of(rate), scale, move, scale * lowest + move});
}

Tensor gaussian_dropout(const Tensor& x, double rate, Seed seed) {
  check_rate("gaussian_dropout", x, rate);
  if (nothing_to_do(x, rate)) return x;
  return noisy("gaussian_dropout", x, seed, false, GaussianFactor{std::sqrt(rate / (1 - rate))});
}

Tensor gaussian_noise(const Tensor& x, double stddev, Seed seed) {
  constexpr std::string_view op = "gaussian_noise";
  check::real(op, x);
  if (!(stddev >= 0)) fail<OptionError>(op, "stddev is {}; expected 0 or more", stddev);
  if (nothing_to_do(x, stddev)) return x;
  return noisy(op, x, seed, false, GaussianSum{stddev});
}

}  // namespace maskgrad
