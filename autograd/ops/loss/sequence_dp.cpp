#include <maskgrad/autograd/ops/loss/sequence_dp.hpp>

#include <algorithm>

namespace maskgrad::sequence_dp {

Mask kept(std::string_view op, const Tensor& x, const Pooled<std::uint8_t>& there) {
  if (!sample_mask(x) && std::find(there.begin(), there.end(), 0) == there.end()) return {};
  return masks::from_bits(there, {there.size()}, masks::origin_here(op));
}

Mask kept_meta(std::string_view op, const Tensor& x) {
  return masks::meta({x.shape()[0]}, masks::origin_here(op), !sample_mask(x));
}

std::int64_t row_of(const Tensor& result, std::int64_t sample) {
  return result.has_mask() ? result.mask().impl().row_of()[sample] : sample;
}

std::int64_t shards(std::int64_t batch, std::int64_t work) {
  constexpr std::int64_t least = 2048;  // each value costs an exp or two
  return std::min(batch, shard_count(work, least));
}

}  // namespace maskgrad::sequence_dp
