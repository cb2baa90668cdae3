#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace maskgrad {

/// Where random numbers start. The same seed gives the same numbers, on any number of threads.
struct Seed {
  std::uint64_t value = 0;
  /// The seed of a part: a layer's path, a weight's name, an epoch.
  Seed of(std::string_view part) const;
  Seed of(std::uint64_t part) const;
};

namespace extend {
/// What the noise of a sample is drawn by.
struct NoiseSource {
  std::uint64_t sequence;  ///< its index in the step
  Seed key;
};
}  // namespace extend

namespace random {

/// Four random words that depend on nothing but the counter and the key.
/// Source: Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3 (Philox4x32-10).
inline std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, Seed seed) {
  auto k0 = static_cast<std::uint32_t>(seed.value);
  auto k1 = static_cast<std::uint32_t>(seed.value >> 32);
  for (int round = 0; round < 10; ++round) {
    const auto a = std::uint64_t{0xD2511F53} * counter[0];
    const auto b = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ k0, static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ k1,
               static_cast<std::uint32_t>(a)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return counter;
}

/// A word as a number in [0, 1), of 32 random bits.
inline double unit(std::uint32_t word) {
  return word * 0x1p-32;
}

/// A standard normal number of two numbers in [0, 1). Source: Box and Muller 1958.
double normal(double u, double turn);

/// The `index`-th number of a stream, in [0, 1), of 53 random bits.
double unit_at(Seed seed, std::uint64_t index);

/// 0 ... count - 1 in an order that the seed alone decides, each as likely (Fisher and Yates).
std::vector<std::int64_t> permutation(std::int64_t count, Seed seed);

}  // namespace random
}  // namespace maskgrad
