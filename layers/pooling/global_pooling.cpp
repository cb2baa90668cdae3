#include <maskgrad/layers/pooling/global_pooling.hpp>

#include <functional>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/layers/layer/check.hpp>
#include <maskgrad/layers/layer/so_far.hpp>

namespace maskgrad::detail {

bool pools_channels_first(PoolingKind pool, const std::string& data_format) {
  return check::channels_first(global_pooling_kind(pool), data_format);
}

Tensor pooled(PoolingKind pool, const Tensor& x, bool channels_first, bool keepdims) {
  check::layer_rank(x, 3, channels_first ? "[batch, features, time]" : "[batch, time, features]");
  const int time = channels_first ? 2 : 1;
  switch (pool) {
    case PoolingKind::max:
      return so_far(x, max(x, time, keepdims), greatest);
    case PoolingKind::sum:
      return so_far(x, sum(x, time, keepdims), std::plus<Tensor>());
    case PoolingKind::average:
      break;
  }
  auto* slot = extend::stream_slot(x);
  return slot ? mean_so_far(*slot, x, keepdims) : mean(x, time, keepdims);
}

}  // namespace maskgrad::detail
