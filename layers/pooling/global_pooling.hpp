#pragma once

#include <maskgrad/layers/layer.hpp>

namespace maskgrad {

struct GlobalPoolingOptions {
  bool keepdims = false;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("keepdims", o.keepdims);
    f("name", o.name);
  }
};

/// Mean over each sequence's valid steps.
/// Shapes:   x [batch, time, features] -> [batch, features]; with keepdims [batch, 1, features].
/// Mask:     consumes; a sequence without a valid step is masked in the result.
/// Gradient: dy / n at each of the n valid steps.
/// Throws:   ShapeError unless x has three axes.
/// Source:   Keras 3, GlobalAveragePooling1D.
class GlobalAveragePooling1D {
 public:
  using Options = GlobalPoolingOptions;
  static constexpr std::string_view kind = "GlobalAveragePooling1D";
  static constexpr MaskContract contract{.role = MaskRole::consumes,
                                         .why = "averages each sequence's valid steps",
                                         .sample_role = MaskRole::propagates,
                                         .keras = "an empty sequence gives NaN"};

  explicit GlobalAveragePooling1D(GlobalPoolingOptions options = {})
      : info(kind, options.name), options_(std::move(options)) {}
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const;

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  GlobalPoolingOptions options_;
};

}  // namespace maskgrad
