#include <maskgrad/layers/pooling/window_pooling.hpp>

#include <limits>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/core/kernels/selected.hpp>
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
  if (pool == PoolingKind::max) {
    return max(windows(x, options, -std::numeric_limits<double>::infinity()), {2});
  }
  const Tensor w = windows(x, options);
  if (options.padding == Padding::valid) return mean(w, {2});
  const Tensor sizes = window_sizes(x, options), plain = sum(w, {2}) / sizes;
  if (plain.is_meta()) return plain;
  const bool finite = extend::dispatch_real("pooled", x.dtype(), [&]<class T>() {
    return kernels::all_finite_of(rows::of<T>(plain).data(), rows::total(plain));
  });
  if (finite) return plain;
  // A sum on the way may be beyond the type where the mean is not.
  const Tensor share = static_cast<double>(options.width) / sizes;
  return where(isfinite(plain), plain, mean(w, {2}) * share);
}

}  // namespace maskgrad::detail
