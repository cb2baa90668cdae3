#include <maskgrad/core/random.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/rows.hpp>

namespace maskgrad {
namespace {

/// A bijective mixing of 64 bits. Source: Steele et al. 2014 (SplitMix64), its output function.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

std::array<std::uint32_t, 4> words(Seed seed, std::uint64_t index) {
  return random::philox(
      {static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), 0, 0}, seed);
}

}  // namespace

Seed Seed::of(std::uint64_t part) const {
  return {mix(mix(value) ^ part)};
}

Seed Seed::of(std::string_view part) const {
  std::uint64_t h = mix(~value);  // not as for a number: "a" is not part 97
  for (char c : part) h = mix(h ^ static_cast<unsigned char>(c));
  return {h};
}

namespace random {

double normal(double u, double turn) {
  return std::sqrt(-2 * std::log(1 - u)) * std::cos(2 * std::numbers::pi * turn);
}
double unit_at(Seed seed, std::uint64_t index) {
  const auto w = words(seed, index);
  return static_cast<double>((std::uint64_t{w[0]} << 21) ^ (w[1] >> 11)) * 0x1p-53;
}
std::vector<std::int64_t> permutation(std::int64_t count, Seed seed) {
  auto order = checked::vector<std::int64_t>("permutation", count);
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::size_t left = order.size(); left > 1; --left) {
    const auto taken = unit_at(seed, left) * static_cast<double>(left);
    std::swap(order[left - 1], order[static_cast<std::size_t>(taken)]);
  }
  return order;
}
}  // namespace random

Tensor random_uniform(const Shape& shape, Seed seed, double low, double high, DType dtype) {
  if (!(low <= high)) {
    fail<OptionError>("random_uniform", "the range is {} to {}; expected low <= high", low, high);
  }
  Tensor x = rows::make(shape, dtype);
  extend::dispatch_real("random_uniform", dtype, [&]<class T>() {
    // Rounding must not give `high` itself.
    const T last = low < high ? std::nextafter(static_cast<T>(high), static_cast<T>(low)) : T(low);
    std::uint64_t i = 0;
    for (auto& v : rows::of_mutable<T>(x)) {
      v = std::min(last, static_cast<T>(low + (high - low) * random::unit_at(seed, i++)));
    }
  });
  return x;
}

Tensor random_normal(const Shape& shape, Seed seed, DType dtype) {
  Tensor x = rows::make(shape, dtype);
  extend::dispatch_real("random_normal", dtype, [&]<class T>() {
    std::uint64_t i = 0;
    for (auto& v : rows::of_mutable<T>(x)) {
      const auto w = words(seed, i++);
      v = static_cast<T>(random::normal(random::unit(w[0]), random::unit(w[1])));
    }
  });
  return x;
}

}  // namespace maskgrad
