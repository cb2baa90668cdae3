#pragma once

#include <maskgrad/layers/layer/layer.hpp>
#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad {

/// Each sequence's valid steps in reverse order; padding and holes stay where they are.
/// Shapes:   x [batch, time, ...] -> the same.
/// Mask:     supports, and passes it on; over single values each feature is reversed by itself.
/// Gradient: dy reversed.
/// Throws:   ShapeError.
/// Source:   ours; Keras's Bidirectional does this for the layer it wraps.
/// Example:  mg::Reverse{}(x);  // [4, 5, 3] under x's mask, each sequence's last valid step first
class Reverse {
 public:
  using Options = extend::NameOnly;
  static constexpr std::string_view kind = "Reverse";
  static constexpr MaskContract contract{.role = MaskRole::supports,
                                         .why = "reverses each sequence's valid steps",
                                         .sample_role = MaskRole::propagates,
                                         .keras = "has none"};
  static constexpr TimeContract time = TimeContract::whole("the last step comes first");

  explicit Reverse(Options options = {}) : info(kind, options.name), options_(std::move(options)) {}
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const;

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  Options options_;
};

}  // namespace maskgrad
