#pragma once

#include <maskgrad/layers/layer/layer.hpp>
#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad {

struct SoftmaxOptions {
  extend::IntegerList axis = -1;  ///< or several, which sum to 1 together
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("axis", o.axis);
    f("name", o.name);
  }
};

/// exp(x) / sum(exp(x)) along an axis, or over several.
/// Shapes:   x -> the same.
/// Mask:     supports: along features it stays inside a row; along time it runs over each
///           sequence's valid steps; of none it has no values. The mask is passed on.
/// Throws:   OptionError, ShapeError.
/// Source:   Keras 3, Softmax.
/// Example:  mg::Softmax{{.axis = 1}}(x);  // [4, 5, 3]: over each sequence's valid steps
class Softmax {
 public:
  using Options = SoftmaxOptions;
  static constexpr std::string_view kind = "Softmax";
  static constexpr MaskContract contract{
      .role = MaskRole::supports,
      .why = "runs inside a row, along time over each sequence's valid steps",
      .keras = "takes a mask of the input's own shape, as an argument"};
  static constexpr TimeContract time{
      .by_options = "back 0 · ahead 0; along the steps it needs the whole sequence"};
  TimeContract time_now() const;

  explicit Softmax(SoftmaxOptions options = {});
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x);

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  Options options_;
  std::vector<int> axes_;
  int rank_ = 3;  ///< of what it was called with last, in a build first
};

}  // namespace maskgrad
