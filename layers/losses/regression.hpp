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
Loss mean_squared_error(const Tensor& target, const Tensor& prediction,
                        const LossOptions& options = {});
/// |e|; the gradient is 0 where it is 0.
Loss mean_absolute_error(const Tensor& target, const Tensor& prediction,
                         const LossOptions& options = {});
/// 100 |e| / max(|target|, 1e-7).
Loss mean_absolute_percentage_error(const Tensor& target, const Tensor& prediction,
                                    const LossOptions& options = {});
/// (log(1 + prediction) - log(1 + target))^2, both raised to 1e-7 where they are less.
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
Loss huber(const Tensor& target, const Tensor& prediction, const HuberOptions& options = {});

/// log(cosh(e)), without overflow and without loss of digits near 0.
Loss log_cosh(const Tensor& target, const Tensor& prediction, const LossOptions& options = {});

/// Minus the cosine of the angle between target and prediction, also where they are very short or
/// long; 0, with the gradient 0, where one of them is 0. A position is a vector: a mask over
/// features is a MaskError.
Loss cosine_similarity(const Tensor& target, const Tensor& prediction,
                       const LossOptions& options = {});

}  // namespace maskgrad
