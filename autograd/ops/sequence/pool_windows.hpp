#pragma once

#include <maskgrad/autograd/ops/sequence/windows.hpp>

namespace maskgrad::detail {

enum class WindowPool { max, mean };

/// Of each window of `windows(x, options)` its greatest or mean step, value by value: [batch,
/// windows, features]. What is beyond the ends of a sequence does not count. Primitive.
/// Gradient:  to what was greatest, by equal shares where some tie; of a mean to all alike.
Tensor pool_windows(WindowPool pool, const Tensor& x, const WindowOptions& options);

}  // namespace maskgrad::detail
