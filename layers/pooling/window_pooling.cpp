#include <maskgrad/layers/pooling/window_pooling.hpp>

#include <maskgrad/autograd/ops/sequence/pool_windows.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad::detail {

WindowOptions pooling_windows(std::string_view kind, const WindowPoolingOptions& o) {
  const WindowOptions windows{o.pool_size, o.strides.value_or(o.pool_size),
                              detail::padding_option(kind, o.padding, false)};
  check::at_least(kind, "pool_size", windows.width, 1);
  check::at_least(kind, "strides", windows.stride, 1);
  return windows;
}

Tensor pooled(PoolingKind pool, const Tensor& x, const WindowOptions& options) {
  check::layer_rank(x, 3, "[batch, time, features]");
  return pool_windows(pool == PoolingKind::max ? WindowPool::max : WindowPool::mean, x, options);
}

}  // namespace maskgrad::detail
