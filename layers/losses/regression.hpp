#pragma once

#include <maskgrad/layers/losses/loss.hpp>

namespace maskgrad {

// Losses of real targets, as Keras 3 defines them; e = prediction - target, the mean over features
// at each position.
// Shapes:   target and prediction [batch, ..., features], the same shape.
// Mask:     consumes; a position counts where both are valid. The target is read nowhere else.
//           Where the mask covers the features, each value is a position.
// Gradient: of the reported value, to both.
// Throws:   ShapeError (nothing is broadcast), TypeError; OptionError for options out of range.

/// e^2.
/// Example:  const mg::Tensor weight = mg::tensor({1.0f, 1.0f, 0.5f, 1.0f}, {4});
///           mg::mean_squared_error(y, model(x), {.sample_weight = weight});  // of sequences
Loss mean_squared_error(const Tensor& target, const Tensor& prediction,
                        const LossOptions& options = {});
/// |e|; the gradient is 0 where it is 0.
/// Example:  mg::mean_absolute_error(y, model(x), {.reduction = mg::Reduction::none}).positions();
Loss mean_absolute_error(const Tensor& target, const Tensor& prediction,
                         const LossOptions& options = {});
/// 100 |e| / max(|target|, 1e-7).
/// Example:  mg::mean_absolute_percentage_error(y, model(x)).value();
Loss mean_absolute_percentage_error(const Tensor& target, const Tensor& prediction,
                                    const LossOptions& options = {});
/// (log(1 + prediction) - log(1 + target))^2, both raised to 1e-7 where they are less.
/// Example:  mg::mean_squared_logarithmic_error(mg::abs(y), mg::softplus(model(x))).backward();
Loss mean_squared_logarithmic_error(const Tensor& target, const Tensor& prediction,
                                    const LossOptions& options = {});

struct HuberOptions {
  double delta = 1;
  Reduction reduction = Reduction::mean;
  Tensor sample_weight = {};
  bool strict_lengths = false;  ///< refuses positions that fall away, see Loss

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("delta", o.delta);
    f("reduction", o.reduction);
    f("strict_lengths", o.strict_lengths);
  }
};
/// e^2 / 2 where |e| <= delta, else delta |e| - delta^2 / 2.
/// Example:  mg::huber(y, model(x), {.delta = 0.5}).backward();
Loss huber(const Tensor& target, const Tensor& prediction, const HuberOptions& options = {});

/// log(cosh(e)), without overflow and without loss of digits near 0.
/// Example:  (mg::log_cosh(y, model(x)) + 0.1 * mg::cosine_similarity(y, model(x))).backward();
Loss log_cosh(const Tensor& target, const Tensor& prediction, const LossOptions& options = {});

/// Minus the cosine of the angle between target and prediction, also where they are very short or
/// long; 0, with the gradient 0, where one of them is 0. A position is a vector: a mask over
/// features is a MaskError.
/// Example:  mg::cosine_similarity(y, model(x)).value();  // -1 where all point the same way
Loss cosine_similarity(const Tensor& target, const Tensor& prediction,
                       const LossOptions& options = {});

}  // namespace maskgrad
