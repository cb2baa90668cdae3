#include <maskgrad/autograd/ops/dropout.hpp>

#include <cmath>

#include <maskgrad/autograd/noise_places.hpp>

namespace maskgrad {
namespace {

using Words = std::array<std::uint32_t, 4>;

// A noise draws for each value by what it is multiplied, and what is added: factor(words, i), of
// which 0 is selected, so that nothing reaches the result; added(words, i, factor).

/// `rate` of the values lose what they were.
struct Drop {
  std::uint32_t limit;
  double keep, kept_add = 0, dropped = 0;
  double factor(const Words& words, std::size_t i) const { return words[i] < limit ? 0 : keep; }
  double added(const Words&, std::size_t, double factor) const {
    return factor == 0 ? dropped : kept_add;
  }
};
struct GaussianFactor {
  double stddev;
  double factor(const Words& words, std::size_t i) const {
    return 1 + stddev * random::normal(words, i);
  }
  double added(const Words&, std::size_t, double) const { return 0; }
};
struct GaussianSum {
  double stddev;
  double factor(const Words&, std::size_t) const { return 1; }
  double added(const Words& words, std::size_t i, double) const {
    return stddev * random::normal(words, i);
  }
};

std::uint32_t limit_of(double rate) {
  return static_cast<std::uint32_t>(rate * 0x1p32);
}

template <class Noise>
Tensor noisy(std::string_view op, const Tensor& x, Seed seed, bool whole_steps, Noise noise) {
  const NoisePlaces places = noise_places(x, whole_steps);
  const auto apply = [op, places, seed, noise](const Tensor& from, bool add) {
    Tensor to = rows::make(from.shape(), from.dtype(), from.mask());
    dispatch_real(op, from.dtype(), [&]<class T>() {
      const T* x = rows::of<T>(from).data();
      T* y = rows::of_mutable<T>(to).data();
      each_noise(places, seed, [&](std::int64_t at, const Words& words, std::size_t i) {
        const double factor = noise.factor(words, i);
        const T more = add ? static_cast<T>(noise.added(words, i, factor)) : T(0);
        y[at] = factor == 0 ? more : x[at] * static_cast<T>(factor) + more;
      });
    });
    return to;
  };
  return record(op, apply(x, true), {x},
                [apply](const Tensor& dy, Grads& grads) { grads.add(0, apply(dy, false)); });
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
