#include <maskgrad/layers/pooling/window_pooling.hpp>

#include <limits>

#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/layers/check.hpp>

namespace maskgrad::detail {

WindowOptions pooling_windows(std::string_view kind, const WindowPoolingOptions& o) {
  const WindowOptions windows{o.pool_size, o.strides.value_or(o.pool_size),
                              padding_option(kind, o.padding, false)};
  check::at_least(kind, "pool_size", windows.width, 1);
  check::at_least(kind, "strides", windows.stride, 1);
  return windows;
}

Tensor pooled(Pool pool, const LayerInfo& info, std::string_view kind, const Tensor& x,
              const WindowOptions& options) {
  check::layer_rank(info, kind, x, 3, "[batch, time, features]");
  if (pool == Pool::max) {
    return max(windows(x, options, -std::numeric_limits<double>::infinity()), {2});
  }
  const Tensor w = windows(x, options);
  return options.padding == Padding::valid ? mean(w, {2}) : sum(w, {2}) / window_sizes(x, options);
}

}  // namespace maskgrad::detail
