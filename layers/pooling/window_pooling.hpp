#pragma once

#include <maskgrad/layers/convolution/window_layers.hpp>
#include <maskgrad/layers/pooling/global_pooling.hpp>

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

namespace detail {

constexpr std::string_view window_pooling_kind(PoolingKind pool, bool masked) {
  if (masked) return pool == PoolingKind::max ? "MaskedMaxPooling1D" : "MaskedAveragePooling1D";
  return pool == PoolingKind::max ? "MaxPooling1D" : "AveragePooling1D";
}
constexpr MaskContract window_pooling_contract(PoolingKind pool, bool masked) {
  if (masked) return takes_valid_steps("pools each sequence's valid steps as if it were alone");
  constexpr std::string_view keras = "warns that it destroys the mask, and pools the padding";
  return pool == PoolingKind::max
             ? refuses_steps("a window takes neighboring steps, so padding could be the greatest",
                             "MaskedMaxPooling1D (each sequence pooled as if alone) · "
                             "x.drop_mask(\"why\") to pool the padding as data",
                             keras)
             : refuses_steps("a window mixes neighboring steps, so padding would leak",
                             "MaskedAveragePooling1D (each sequence pooled as if alone) · "
                             "x.drop_mask(\"why\") to pool the padding as data",
                             keras);
}
/// Throws OptionError, naming `kind`, for options out of range.
WindowOptions pooling_windows(std::string_view kind, const WindowPoolingOptions& options);
Tensor pooled(PoolingKind pool, const Tensor& x, const WindowOptions& options);

/// The greatest, or the mean, of each feature in each window of steps; Masked: over each sequence's
/// valid steps, as if it were alone and unpadded.
/// Shapes:   x [batch, time, features] -> [batch, steps, features]; `padding` valid, or same: a
///           window may reach over the ends, what is there does not count.
/// Mask:     unsupported over time; under [batch] it propagates. Masked: supports; where the length
///           stays (strides 1 and `same`, or a pool_size of 1) results stand at their own steps,
///           else result k stands at step k, and the mask follows from the new lengths.
/// Gradient: dy to what is greatest, in equal parts where several are; of the mean dy / n.
/// Throws:   MaskError, ShapeError, OptionError.
/// Source:   Keras 3, MaxPooling1D, AveragePooling1D; the masked ones are ours.
/// Example:  mg::MaxPooling1D{{.padding = "same"}}(padded);   // [4, 3, 3]
///           mg::MaskedMaxPooling1D{{.pool_size = 2}}(x);     // [4, 2, 3], of 2, 1, 0 and 2 steps
template <PoolingKind pool, bool masked>
class WindowPooling1D {
 public:
  using Options = WindowPoolingOptions;
  static constexpr std::string_view kind = window_pooling_kind(pool, masked);
  static constexpr MaskContract contract = window_pooling_contract(pool, masked);
  static constexpr TimeContract time = masked ? windows_time : time_by_mask(contract);
  TimeContract time_now() const { return masked ? time_of_windows(windows_) : time; }

  explicit WindowPooling1D(WindowPoolingOptions options = {})
      : info(kind, options.name),
        options_(std::move(options)),
        windows_(pooling_windows(kind, options_)) {}
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const { return pooled(pool, x, windows_); }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  WindowPoolingOptions options_;
  WindowOptions windows_;
};

}  // namespace detail

/// The greatest of each window of steps; refuses a mask, see WindowPooling1D.
using MaxPooling1D = detail::WindowPooling1D<detail::PoolingKind::max, false>;
/// The mean of each window of steps; refuses a mask, see WindowPooling1D.
using AveragePooling1D = detail::WindowPooling1D<detail::PoolingKind::average, false>;
/// The greatest of each window of valid steps, each sequence as if alone, see WindowPooling1D.
using MaskedMaxPooling1D = detail::WindowPooling1D<detail::PoolingKind::max, true>;
/// The mean of each window of valid steps, each sequence as if alone, see WindowPooling1D.
using MaskedAveragePooling1D = detail::WindowPooling1D<detail::PoolingKind::average, true>;

}  // namespace maskgrad
