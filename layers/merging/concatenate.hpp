#pragma once

#include <maskgrad/layers/layer/layer.hpp>
#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad {

struct ConcatenateOptions {
  std::int64_t axis = -1;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("axis", o.axis);
    f("name", o.name);
  }
};

/// Inputs one after the other along an axis: their features, or their steps.
/// Shapes:   one or more, the same sizes on every axis but `axis` -> that axis as long as all.
/// Mask:     supports: along features the AND of the masks; along a mask axis, as time, the masks
///           one after the other. An input without one is valid everywhere.
/// Gradient: to each input its piece, zero where the AND is false.
/// Throws:   OptionError, ShapeError; TypeError for types that differ.
/// Source:   Keras 3, Concatenate.
/// Example:  mg::Concatenate{{.axis = 1}}({x, y});  // [4, 10, 3], its mask too
class Concatenate {
 public:
  using Options = ConcatenateOptions;
  static constexpr std::string_view kind = "Concatenate";
  static constexpr MaskContract contract{
      .role = MaskRole::supports,
      .why = "joins features inside a row, or steps together with their masks",
      .after = "the AND of the inputs' masks; along time one after the other"};
  static constexpr TimeContract time{
      .by_options = "back 0 · ahead 0; along the steps it needs the whole sequence"};
  TimeContract time_now() const;

  explicit Concatenate(ConcatenateOptions options = {});
  Tensor operator()(const Tensors& inputs) { return call(*this, inputs).front(); }
  Tensor forward(const Tensors& inputs);

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  Options options_;
  int rank_ = 3;  ///< of what it was called with last, in a build first
};

}  // namespace maskgrad
