#include <maskgrad/layers/pooling/window_pooling.hpp>

#include <limits>

#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/layers/check.hpp>

namespace maskgrad {

WindowPoolingCore::WindowPoolingCore(std::string_view kind, WindowPoolingOptions options)
    : options_(std::move(options)),
      windows_{options_.pool_size, options_.strides.value_or(options_.pool_size),
               padding_option(kind, options_.padding, false)} {
  check::at_least(kind, "pool_size", windows_.width, 1);
  check::at_least(kind, "strides", windows_.stride, 1);
}

Tensor WindowPoolingCore::greatest(const LayerInfo& info, std::string_view kind,
                                   const Tensor& x) const {
  check::layer_rank(info, kind, x, 3, "[batch, time, features]");
  return max(windows(x, windows_, -std::numeric_limits<double>::infinity()), {2});
}

Tensor WindowPoolingCore::average(const LayerInfo& info, std::string_view kind,
                                  const Tensor& x) const {
  check::layer_rank(info, kind, x, 3, "[batch, time, features]");
  const Tensor w = windows(x, windows_);
  return windows_.padding == Padding::valid ? mean(w, {2})
                                            : sum(w, {2}) / window_sizes(x, windows_);
}

}  // namespace maskgrad
