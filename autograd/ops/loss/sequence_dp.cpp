#include <maskgrad/autograd/ops/loss/sequence_dp.hpp>

#include <algorithm>

namespace maskgrad::sequence_dp {

Steps::Steps(const Tensor& x) : first(x.shape()[0]), length(x.shape()[0]) {
  const auto time = x.shape()[1];
  const auto* mask = x.has_mask() ? &x.mask().impl() : nullptr;
  for (std::int64_t b = 0; b < batch(); ++b) {
    if (mask && x.mask().rank() > 1) {
      first[b] = mask->first[b];
      length[b] = mask->length[b];
      continue;
    }
    const auto row = !mask ? b : x.mask().rank() == 1 ? mask->row_of()[b] : mask->valid ? b : -1;
    first[b] = row * time;
    length[b] = row < 0 ? -1 : time;
  }
}

Mask kept(std::string_view op, const Tensor& x, const Pooled<std::uint8_t>& there) {
  const bool stays = x.has_mask() && x.mask().rank() < 2;
  if (!stays && std::find(there.begin(), there.end(), 0) == there.end()) return {};
  return masks::from_bits(there, {there.size()}, masks::origin_here(op));
}

Mask kept_meta(std::string_view op, const Tensor& x) {
  const bool stays = x.has_mask() && x.mask().rank() < 2;
  return masks::meta({x.shape()[0]}, masks::origin_here(op), !stays);
}

std::int64_t row_of(const Tensor& result, std::int64_t sample) {
  return result.has_mask() ? result.mask().impl().row_of()[sample] : sample;
}

std::int64_t shards(std::int64_t batch, std::int64_t work) {
  constexpr std::int64_t least = 2048;  // each value costs an exp or two
  return std::min(batch, shard_count(work, least));
}

}  // namespace maskgrad::sequence_dp
