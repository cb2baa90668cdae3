#pragma once

#include <optional>

#include <maskgrad/layers/losses/loss.hpp>

namespace maskgrad {

// Cross entropies, as Keras 3 defines them. `from_logits`: the prediction is logits, not
// probabilities; it is true unless told (in Keras false), as logits lose no digits. Probabilities
// are clipped to [1e-7, 1 - 1e-7].
// Mask:     consumes; a position counts where target and prediction are valid. The target is read
//           nowhere else.
// Gradient: of the reported value, to the prediction and to a real target.
// Throws:   ShapeError (nothing is broadcast), TypeError; OptionError for options out of range.

struct CrossentropyOptions {
  bool from_logits = true;
  double label_smoothing = 0;  ///< this share of a target's weight goes to all classes alike
  Reduction reduction = Reduction::mean;
  Tensor sample_weight = {};
  Tensor class_weight = {};     ///< [classes] (binary: of 0 and 1), times the sample weight
  bool strict_lengths = false;  ///< refuses positions that fall away, see Loss

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("from_logits", o.from_logits);
    f("label_smoothing", o.label_smoothing);
    f("reduction", o.reduction);
    f("strict_lengths", o.strict_lengths);
  }
};

/// -(t log p + (1 - t) log(1 - p)), the mean over features. Where the mask covers the features,
/// each value is a position.
/// Shapes:   target and prediction [batch, ..., features].
/// Throws:   as above; OptionError for class weights where a position has several features.
/// Example:  mg::binary_crossentropy(onehot, model(x), {.label_smoothing = 0.1}).backward();
Loss binary_crossentropy(const Tensor& target, const Tensor& prediction,
                         const CrossentropyOptions& options = {});

/// -sum over classes of t log p; probabilities are divided by their sum. A class weight is that of
/// the target's greatest class.
/// Shapes:   target and prediction [batch, ..., classes].
/// Mask:     as above; over classes it is a MaskError.
/// Example:  const mg::Tensor rare = mg::tensor({1.0f, 2.0f, 2.0f}, {3});
///           mg::categorical_crossentropy(onehot, model(x), {.class_weight = rare}).backward();
Loss categorical_crossentropy(const Tensor& target, const Tensor& prediction,
                              const CrossentropyOptions& options = {});

struct SparseCrossentropyOptions {
  bool from_logits = true;
  std::optional<std::int64_t> ignore_class = {};  ///< positions of this id do not count
  Reduction reduction = Reduction::mean;
  Tensor sample_weight = {};
  Tensor class_weight = {};     ///< [classes], times the sample weight
  bool strict_lengths = false;  ///< refuses positions that fall away, see Loss

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("from_logits", o.from_logits);
    f("ignore_class", o.ignore_class);
    f("reduction", o.reduction);
    f("strict_lengths", o.strict_lengths);
  }
};

/// Minus the log probability of the true class.
/// Shapes:   target [batch, ...] i64, prediction [batch, ..., classes].
/// Mask:     as above; over classes it is a MaskError. `ignore_class` masks its positions.
/// Throws:   as above; IndexError for an id that is no class.
/// Example:  mg::sparse_categorical_crossentropy(labels, model(x), {.ignore_class = 0}).backward();
Loss sparse_categorical_crossentropy(const Tensor& target, const Tensor& prediction,
                                     const SparseCrossentropyOptions& options = {});

}  // namespace maskgrad
