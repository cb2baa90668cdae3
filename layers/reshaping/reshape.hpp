#pragma once

#include <maskgrad/layers/layer/layer.hpp>
#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad {

struct ReshapeOptions {
  std::vector<std::int64_t> target_shape;  ///< behind the batch; one may be -1, what is left
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("target_shape"), o.target_shape);
    f("name", o.name);
  }
};

/// Each sample's values in their order under another shape.
/// Shapes:   x [batch, ...] -> [batch, target_shape].
/// Mask:     propagates; features are merged and split inside a row, mask axes among themselves. A
///           shape that would tear steps, or merge them with features, is refused.
/// Throws:   OptionError for sizes below 0 but one -1; ShapeError for another number of values;
///           MaskError.
/// Source:   Keras 3, Reshape.
/// Example:  mg::Reshape{{.target_shape = {-1, 8}}}(heads);  // [4, 5, 8] under the mask of heads
class Reshape {
 public:
  using Options = ReshapeOptions;
  static constexpr std::string_view kind = "Reshape";
  static constexpr MaskContract contract{
      .role = MaskRole::propagates,
      .why = "features are merged and split inside a row, mask axes among themselves",
      .ways_out =
          "a shape that keeps the steps, as {-1, features} · pooling over time first · "
          "x.drop_mask(\"why\") to reshape the padding as data",
      .after = "passed on; merged with features it is refused",
      .keras = "warns that it destroys the mask"};
  static constexpr TimeContract time{
      .by_options = "back 0 · ahead 0; with a set number of steps, the whole sequence"};
  TimeContract time_now() const;

  explicit Reshape(ReshapeOptions options);
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const;

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  /// [batch, target_shape] with -1 filled in, as far as x's sizes are known.
  Shape target(const Tensor& x) const;

  Options options_;
};

}  // namespace maskgrad
