#include "bench/valid.hpp"

#include <algorithm>
#include <random>

namespace maskgrad::bench {

std::vector<std::int64_t> lengths_of(std::int64_t batch, std::int64_t time, const Valid& valid) {
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(batch), time);
  if (valid.share == 1) return lengths;
  std::mt19937_64 random(4685);  // its shares are within 4 % of the nominal ones at every size
  const auto most = static_cast<std::uint64_t>(2 * valid.share * static_cast<double>(time));
  for (auto& length : lengths) {
    length = std::min<std::int64_t>(time, 1 + static_cast<std::int64_t>(random() % most));
  }
  return lengths;
}

Mask mask_of(std::int64_t batch, std::int64_t time, const Valid& valid) {
  std::mt19937_64 random(1);
  std::vector<bool> bits(static_cast<std::size_t>(batch * time));
  auto begin = bits.begin();
  for (const auto length : lengths_of(batch, time, valid)) {
    std::fill(begin, begin + length, true);
    if (valid.holes) std::shuffle(begin, begin + time, random);
    begin += time;
  }
  return Mask::keep(bits, {batch, time});
}

double real_share(const Tensor& x) {
  if (!x.has_mask()) return 1;
  return static_cast<double>(x.mask().valid()) / static_cast<double>(x.mask().shape().count());
}

}  // namespace maskgrad::bench
