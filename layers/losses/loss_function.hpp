#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <utility>

#include <maskgrad/core/null_function.hpp>
#include <maskgrad/layers/losses/loss.hpp>

namespace maskgrad {

/// A loss of targets and predictions with its options, made by name (loss_function) or from a
/// function of one's own, with sample weights or without.
/// Throws:   what the function throws; OptionError for weights that it does not take.
class LossFunction {
 public:
  using Call = std::function<Loss(const Tensor& target, const Tensor& prediction,
                                  const Tensor& sample_weight)>;

  LossFunction() = default;
  template <class F>
  requires(std::is_invocable_r_v<Loss, F&, const Tensor&, const Tensor&, const Tensor&> &&
           !std::same_as<F, LossFunction>) LossFunction(F f)
      : call_(std::move(f)) {
    detail::require_function("LossFunction", call_);
  }
  template <class F>
  requires(std::is_invocable_r_v<Loss, F&, const Tensor&, const Tensor&> &&
           !std::is_invocable_v<F&, const Tensor&, const Tensor&, const Tensor&> &&
           !std::same_as<F, LossFunction>) LossFunction(F f)
      : call_([f = std::move(f)](const Tensor& target, const Tensor& prediction,
                                 const Tensor& sample_weight) {
          if (sample_weight.defined()) refuse_weights();
          detail::require_function("LossFunction", f);
          return f(target, prediction);
        }) {}

  explicit operator bool() const { return static_cast<bool>(call_); }
  /// `sample_weight` as in LossOptions; none where it is undefined.
  Loss operator()(const Tensor& target, const Tensor& prediction,
                  const Tensor& sample_weight = {}) const {
    detail::require_function("LossFunction", call_);
    return call_(target, prediction, sample_weight);
  }

 private:
  [[noreturn]] static void refuse_weights();
  Call call_;
};

}  // namespace maskgrad
