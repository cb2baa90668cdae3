#pragma once

#include <filesystem>

#include <maskgrad/optim/data/dataset.hpp>

namespace maskgrad {

struct StandardizerOptions {
  std::int64_t input = 0;  ///< which input it is for
  bool target = false;     ///< it is for the target, of which `input` says nothing
};

/// Brings the features of an input (or the target, for regression) to mean 0 and variance 1 over
/// the valid steps that it was fitted on: y = (x - mean) / scale, feature by feature.
///   const auto standard = mg::Standardizer::fit(training);
///   ... training.standardized(standard), validation.standardized(standard)
/// Fit it on training sequences only. A feature that never changes there has the scale 1.
class Standardizer {
 public:
  /// Reads the data once, in parts. Data without a valid step give mean 0 and scale 1.
  /// Throws:   TypeError for ids; ShapeError, naming sequence, step and feature, for a value that
  ///           is not finite.
  static Standardizer fit(const Dataset& training, StandardizerOptions options = {});
  /// What it was: f64, of the shape of a step. ShapeError where the two do not fit, OptionError for
  /// a scale that is not above 0, and for numbers that are not finite, also in the data's type.
  Standardizer(Tensor mean, Tensor scale, StandardizerOptions options = {});

  const Tensor& mean() const { return mean_; }
  const Tensor& scale() const { return scale_; }
  const StandardizerOptions& options() const { return options_; }

  /// (x - mean) / scale, and y scale + mean: predictions back in the target's own units. Both have
  /// gradients and keep masks.
  Tensor apply(const Tensor& x) const;
  Tensor undo(const Tensor& y) const;
  /// The batch with its input, or its target, standardized.
  Batch apply(Batch batch) const;

  /// A safetensors file of `mean` and `scale`. FileError where it is none or cannot be written.
  void save(const std::filesystem::path& path) const;
  static Standardizer load(const std::filesystem::path& path);

 private:
  void check_numbers(DType dtype) const;

  Tensor mean_, scale_;
  StandardizerOptions options_;
};

}  // namespace maskgrad
