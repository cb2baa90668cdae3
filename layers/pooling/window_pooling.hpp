#pragma once

#include <maskgrad/layers/convolution/window_layers.hpp>

namespace maskgrad {

struct WindowPoolingOptions {
  std::int64_t pool_size = 2;
  std::optional<std::int64_t> strides = {};  ///< absent: pool_size
  std::string padding = "valid";
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("pool_size", o.pool_size);
    f("strides", o.strides);
    f("padding", o.padding);
    f("name", o.name);
  }
};

/// Pooling over windows; what the four layers have in common.
class WindowPoolingCore {
 public:
  /// Throws OptionError, naming `kind`, for options out of range.
  WindowPoolingCore(std::string_view kind, WindowPoolingOptions options);
  Tensor greatest(const LayerInfo& info, std::string_view kind, const Tensor& x) const;
  Tensor average(const LayerInfo& info, std::string_view kind, const Tensor& x) const;
  const WindowPoolingOptions& options() const { return options_; }

 private:
  WindowPoolingOptions options_;
  WindowOptions windows_;
};

/// The greatest of each feature in each window of steps.
/// Shapes:   x [batch, time, features] -> [batch, steps, features]; `padding` valid, or same: a
///           window may reach over the ends, what is there does not count.
/// Mask:     unsupported over time. Under [batch] it stays inside a row and propagates.
/// Gradient: dy to what is greatest, in equal parts where several are.
/// Throws:   MaskError, ShapeError, OptionError.
/// Source:   Keras 3, MaxPooling1D.
class MaxPooling1D {
 public:
  using Options = WindowPoolingOptions;
  static constexpr std::string_view kind = "MaxPooling1D";
  static constexpr MaskContract contract = refuses_steps(
      "a window takes neighbouring steps, so padding could be the greatest",
      "MaskedMaxPooling1D (each sequence pooled as if alone) · x.drop_mask(\"why\") to pool the "
      "padding as data",
      "warns that it destroys the mask, and pools the padding");

  explicit MaxPooling1D(WindowPoolingOptions options = {})
      : info(kind, options.name), core_(kind, std::move(options)) {}
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const { return core_.greatest(info, kind, x); }

  const Options& options() const { return core_.options(); }
  LayerInfo info;

 private:
  WindowPoolingCore core_;
};

/// The mean of each feature over each window of steps.
/// Shapes:   x [batch, time, features] -> [batch, steps, features]; `padding` valid, or same: a
///           window may reach over the ends, what is there does not count.
/// Mask:     unsupported over time. Under [batch] it stays inside a row and propagates.
/// Gradient: dy / n to each of the window's n steps.
/// Throws:   MaskError, ShapeError, OptionError.
/// Source:   Keras 3, AveragePooling1D.
class AveragePooling1D {
 public:
  using Options = WindowPoolingOptions;
  static constexpr std::string_view kind = "AveragePooling1D";
  static constexpr MaskContract contract =
      refuses_steps("a window mixes neighbouring steps, so padding would leak",
                    "MaskedAveragePooling1D (each sequence pooled as if alone) · "
                    "x.drop_mask(\"why\") to pool the "
                    "padding as data",
                    "warns that it destroys the mask, and pools the padding");

  explicit AveragePooling1D(WindowPoolingOptions options = {})
      : info(kind, options.name), core_(kind, std::move(options)) {}
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const { return core_.average(info, kind, x); }

  const Options& options() const { return core_.options(); }
  LayerInfo info;

 private:
  WindowPoolingCore core_;
};

/// MaxPooling1D over each sequence's valid steps, as if each sequence were alone and unpadded.
/// Shapes:   as MaxPooling1D.
/// Mask:     supports: where the length stays (strides 1 and `same`, or a pool_size of 1) results
///           stand at their own steps; else result k stands at step k, and the mask follows from
///           the new lengths.
/// Throws:   MaskError (a mask over features), ShapeError, OptionError.
/// Source:   ours.
class MaskedMaxPooling1D {
 public:
  using Options = WindowPoolingOptions;
  static constexpr std::string_view kind = "MaskedMaxPooling1D";
  static constexpr MaskContract contract =
      takes_valid_steps("pools each sequence's valid steps as if it were alone");

  explicit MaskedMaxPooling1D(WindowPoolingOptions options = {})
      : info(kind, options.name), core_(kind, std::move(options)) {}
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const { return core_.greatest(info, kind, x); }

  const Options& options() const { return core_.options(); }
  LayerInfo info;

 private:
  WindowPoolingCore core_;
};

/// AveragePooling1D over each sequence's valid steps, as if each were alone and unpadded.
/// Shapes:   as AveragePooling1D.
/// Mask:     as MaskedMaxPooling1D.
/// Throws:   MaskError (a mask over features), ShapeError, OptionError.
/// Source:   ours.
class MaskedAveragePooling1D {
 public:
  using Options = WindowPoolingOptions;
  static constexpr std::string_view kind = "MaskedAveragePooling1D";
  static constexpr MaskContract contract = MaskedMaxPooling1D::contract;

  explicit MaskedAveragePooling1D(WindowPoolingOptions options = {})
      : info(kind, options.name), core_(kind, std::move(options)) {}
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const { return core_.average(info, kind, x); }

  const Options& options() const { return core_.options(); }
  LayerInfo info;

 private:
  WindowPoolingCore core_;
};

}  // namespace maskgrad
