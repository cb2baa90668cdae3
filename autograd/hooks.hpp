#pragma once

#include <functional>
#include <type_traits>
#include <vector>

#include <maskgrad/core/null_function.hpp>
#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

namespace detail {
using Hook = std::function<Tensor(const Tensor&)>;
Tensor hooked(const Tensor& x, Hook hook);
}  // namespace detail

/// x, whose gradient passes through `hook(dy)` on its way back: to look at it, to scale or clip it,
/// or to put another in its place.
/// Shapes:   what the hook gives is like dy, mask included; one that gives nothing only looks.
/// Gradient: what the hook makes of dy; of a gradient that is recorded the hook's operations are
///           differentiated too.
/// Throws:   OptionError for an empty hook; in backward GradError for a gradient unlike dy.
/// Example:  mg::hook(x, [](const mg::Tensor& dy) { return mg::clip(dy, -1, 1); });
template <class F>
Tensor hook(const Tensor& x, F function) {
  detail::require_function("hook", function);
  if constexpr (std::is_void_v<std::invoke_result_t<F&, const Tensor&>>) {
    return detail::hooked(x, [function](const Tensor& dy) mutable {
      function(dy);
      return dy;
    });
  } else {
    return detail::hooked(x, std::move(function));
  }
}

/// `value`, with the gradient going on to x as it is: for steps that have no derivative.
/// Shapes:   both the same, masks included.
/// Throws:   ShapeError, TypeError.
/// Example:  mg::straight_through(mg::round(x), x);
Tensor straight_through(const Tensor& value, const Tensor& x);

/// A function with a gradient of one's own: `forward(x)` gives the result, and `backward(dy, x, y)`
/// the gradient of each x, undefined for none. The second is differentiated where second
/// derivatives are asked for, as it is made of operations.
/// Shapes:   each gradient is like its x, mask included.
/// Throws:   in backward GradError for a gradient unlike its x, or another number of them.
/// Example:  mg::custom_gradient(
///               {x}, [](const std::vector<mg::Tensor>& in) { return mg::sqrt(in[0]); },
///               [](const mg::Tensor& dy, const std::vector<mg::Tensor>&, const mg::Tensor& y) {
///                 return std::vector<mg::Tensor>{dy / mg::maximum(2 * y, 1e-6)};
///               });
Tensor custom_gradient(
    const std::vector<Tensor>& x, const std::function<Tensor(const std::vector<Tensor>&)>& forward,
    const std::function<std::vector<Tensor>(const Tensor& dy, const std::vector<Tensor>& x,
                                            const Tensor& y)>& backward);

}  // namespace maskgrad
