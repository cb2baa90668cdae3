#pragma once

#include <maskgrad/layers/layer/any_layer.hpp>

namespace maskgrad::detail {

/// What Keras puts where a mask is false in the results of a layer that reads it.
enum class KerasFill : std::uint8_t {
  zeros,
  repeats,     ///< a recurrent layer's last output again, zeros before the first
  nan,         ///< the mean of no steps
  mean_of_all  ///< attention of a query without keys: the mean of all values, padding too
};

/// A layer among dense tensors, as Keras runs it: reads masks that come as inputs of their own,
/// bool [batch, time], and leaves results without one.
/// Shapes:   the layer's inputs, then a mask for each of the first `masks` of them.
/// Mask:     unsupported: padding is data here, as in Keras.
class KerasUnderMask {
 public:
  static constexpr std::string_view kind = "KerasUnderMask";
  static constexpr MaskContract contract{
      .role = MaskRole::unsupported,
      .why = "it computes on padding as Keras does, with masks as inputs of their own",
      .ways_out = "load_keras without .as_keras"};

  /// `backwards`: a recurrent layer that gives its outputs in the order in which they ran.
  KerasUnderMask(AnyLayer layer, std::size_t masks, KerasFill fill, bool backwards);
  [[noreturn]] static KerasUnderMask from_options(extend::OptionReader& reader);
  [[noreturn]] void write_options(extend::OptionWriter& writer) const;
  Tensors forward(const Tensors& inputs);

  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    f(self.layer_.info().name, self.layer_);
  }

  LayerInfo info;

 private:
  Tensor filled(const Tensor& y, const Mask& mask) const;
  Tensor attended(const Tensor& y, const Tensors& inputs);

  AnyLayer layer_;
  std::size_t masks_;
  KerasFill fill_;
  bool backwards_;
};

}  // namespace maskgrad::detail
