#pragma once

#include <array>

#include <maskgrad/layers/layer/layer.hpp>
#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad {

struct DotOptions {
  extend::IntegerList axes;  ///< the axis of each input that is summed over, or one for both
  bool normalize = false;    ///< first divide each vector along these axes by its length
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("axes"), o.axes);
    f("normalize", o.normalize);
    f("name", o.name);
  }
};

/// Product of two inputs, sample by sample, summed over an axis of each.
/// Shapes:   a [batch, ...], b [batch, ...] -> [batch, axes of a that are left, those of b], where
///           none is left [batch, 1]. Axes count from 0, the batch, which is not one of them.
/// Mask:     propagates those of the rows that lead the result: the steps of a, or those of b where
///           a has none. Summing over masked steps, and pairing those of b with steps of a, is
///           refused.
/// Throws:   OptionError, ShapeError, TypeError, MaskError.
/// Source:   Keras 3, Dot; a length counts as 1e-7 or more.
/// Example:  mg::Dot{{.axes = {2, 1}, .normalize = true}}({x, dense});  // [4, 5], cosines
class Dot {
 public:
  using Options = DotOptions;
  static constexpr std::string_view kind = "Dot";
  static constexpr MaskContract contract{
      .role = MaskRole::propagates,
      .why = "multiplies each row with the other input's sample",
      .full_role = MaskRole::unsupported,
      .ways_out =
          "for two sequences attention(q, k, v): Attention, MultiHeadAttention · the masked input "
          "first · x.drop_mask(\"why\") to multiply the padding as data",
      .after = "passed on; over steps that are summed over or paired it is refused",
      .keras = "drops the masks, and sums over the padding"};

  explicit Dot(DotOptions options);
  Tensor operator()(const Tensors& inputs) { return call(*this, inputs).front(); }
  Tensor forward(const Tensors& inputs) const;

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  /// The axis of each input, counted from the front.
  std::array<int, 2> axes(const Tensors& inputs) const;

  Options options_;
};

}  // namespace maskgrad
