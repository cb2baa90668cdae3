#pragma once

#include <maskgrad/layers/losses/loss.hpp>

namespace maskgrad {

// Focal cross entropies: what is right already counts less. As Keras 3 defines them, but from logits
// (`from_logits`, true unless told) without its clipping; q is the probability of being right.
// Mask:     consumes; a position counts where target and prediction are valid. The target is read
//           nowhere else.
// Throws:   ShapeError (nothing is broadcast), TypeError; OptionError for options out of range.
// Source:   Lin et al. 2017, arXiv:1708.02002.

struct BinaryFocalOptions {
  bool apply_class_balancing = false;  ///< multiply by alpha where t is 1, 1 - alpha where it is 0
  double alpha = 0.25;
  double gamma = 2;
  bool from_logits = true;
  double label_smoothing = 0;
  Reduction reduction = Reduction::mean;
  Tensor sample_weight = {};
  bool strict_lengths = false;  ///< refuses positions that fall away, see Loss

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("apply_class_balancing", o.apply_class_balancing);
    f("alpha", o.alpha);
    f("gamma", o.gamma);
    f("from_logits", o.from_logits);
    f("label_smoothing", o.label_smoothing);
    f("reduction", o.reduction);
    f("strict_lengths", o.strict_lengths);
  }
};

/// (1 - q)^gamma times the binary cross entropy, the mean over features, with
/// q = t p + (1 - t) (1 - p). Where the mask covers the features, each value is a position.
/// Shapes:   target and prediction [batch, ..., features].
/// Example:  mg::binary_focal_crossentropy(onehot, model(x), {.apply_class_balancing = true});
Loss binary_focal_crossentropy(const Tensor& target, const Tensor& prediction,
                               const BinaryFocalOptions& options = {});

struct CategoricalFocalOptions {
  double alpha = 0.25;
  double gamma = 2;
  bool from_logits = true;
  double label_smoothing = 0;
  Reduction reduction = Reduction::mean;
  Tensor sample_weight = {};
  bool strict_lengths = false;  ///< refuses positions that fall away, see Loss

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("alpha", o.alpha);
    f("gamma", o.gamma);
    f("from_logits", o.from_logits);
    f("label_smoothing", o.label_smoothing);
    f("reduction", o.reduction);
    f("strict_lengths", o.strict_lengths);
  }
};

/// -alpha times the sum over classes of (1 - p)^gamma t log p.
/// Shapes:   target and prediction [batch, ..., classes].
/// Mask:     as above; over classes it is a MaskError.
/// Example:  mg::categorical_focal_crossentropy(onehot, model(x), {.gamma = 3}).backward();
Loss categorical_focal_crossentropy(const Tensor& target, const Tensor& prediction,
                                    const CategoricalFocalOptions& options = {});

}  // namespace maskgrad
