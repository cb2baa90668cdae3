#pragma once

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include <maskgrad/core/null_function.hpp>
#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

namespace detail {

using TensorFunction = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;
std::vector<Tensor> checkpointed(const TensorFunction& f, const std::vector<Tensor>& x);

/// Which call of a checkpointed function this thread is in; `alone`: of one sequence by itself.
enum class CheckpointCall { none, first, again, alone };
CheckpointCall checkpoint_call();
class CheckpointScope {
 public:
  explicit CheckpointScope(CheckpointCall call);
  ~CheckpointScope();
  CheckpointScope(const CheckpointScope&) = delete;
  CheckpointScope& operator=(const CheckpointScope&) = delete;

 private:
  CheckpointCall before_;
};

inline std::vector<Tensor> as_many(const Tensor& x) {
  return {x};
}
inline std::vector<Tensor> as_many(std::vector<Tensor> x) {
  return x;
}
template <class X>
const auto& as_argument(const std::vector<Tensor>& x) {
  if constexpr (std::same_as<X, Tensor>) {
    return x[0];
  } else {
    return x;
  }
}

template <class F>
struct Checkpointed {
  F f;

  template <class X>
  auto operator()(const X& x) const {
    using Y = std::invoke_result_t<const F&, const X&>;
    auto y = checkpointed(
        [f = f](const std::vector<Tensor>& in) { return as_many(f(as_argument<X>(in))); },
        as_many(x));
    if constexpr (std::same_as<std::remove_cvref_t<Y>, Tensor>) {
      return y[0];
    } else {
      return y;
    }
  }
};

}  // namespace detail

/// f, of whose call the arguments and results alone are kept: backward calls it once more for what
/// lies between. Values and gradients have the same bits, with dropout too; what a layer counts,
/// as batch normalization does, it counts once.
/// Shapes:   f takes a tensor or a vector of them, and gives one or a vector.
/// Throws:   StateError in f for a layer that carries its state from batch to batch, GradError
///           where f gives something else in the second call; what f throws.
/// Source:   Chen et al. 2016, arXiv:1604.06174.
/// Example:  const auto block = mg::checkpoint([](const mg::Tensor& t) { return mg::gelu(t); });
///           const mg::Tensor y = block(x);
template <class F>
auto checkpoint(F f) {
  detail::require_function("checkpoint", f);
  return detail::Checkpointed<F>{std::move(f)};
}

}  // namespace maskgrad
