#include <maskgrad/layers/pooling/global_pooling.hpp>

#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad::detail {

bool pools_channels_first(PoolingKind pool, const std::string& data_format) {
  return check::channels_first(global_pooling_kind(pool), data_format);
}

Tensor pooled(PoolingKind pool, const Tensor& x, bool channels_first, bool keepdims) {
  check::layer_rank(x, 3, channels_first ? "[batch, features, time]" : "[batch, time, features]");
  const int time = channels_first ? 2 : 1;
  if (pool == PoolingKind::max) return max(x, time, keepdims);
  return pool == PoolingKind::sum ? sum(x, time, keepdims) : mean(x, time, keepdims);
}

}  // namespace maskgrad::detail
