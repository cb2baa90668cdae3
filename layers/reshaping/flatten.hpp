#pragma once

#include <maskgrad/layers/layer/layer.hpp>
#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad {

struct FlattenOptions {
  std::string data_format = "channels_last";  ///< channels_first: axis 1 is put last before
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("data_format", o.data_format);
    f("name", o.name);
  }
};

/// All values of a sample as one axis.
/// Shapes:   x [batch, ...] -> [batch, values]; [batch] -> [batch, 1].
/// Mask:     unsupported over time: steps would be merged with features. Under [batch], and over
///           single values, it propagates.
/// Throws:   MaskError, OptionError, ShapeError.
/// Source:   Keras 3, Flatten.
/// Example:  mg::Flatten{}(padded);  // [4, 15]; of x it would be a MaskError
class Flatten {
 public:
  using Options = FlattenOptions;
  static constexpr std::string_view kind = "Flatten";
  static constexpr MaskContract contract{
      .role = MaskRole::unsupported,
      .why = "steps would be merged with features, so a mask could not follow",
      .sample_role = MaskRole::propagates,
      .full_role = MaskRole::propagates,
      .ways_out =
          "GlobalAveragePooling1D, GlobalMaxPooling1D or LastStep over the valid steps · "
          "x.drop_mask(\"why\") to flatten the padding as data",
      .keras = "warns that it destroys the mask"};

  explicit Flatten(FlattenOptions options = {});
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const;

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  Options options_;
  bool channels_first_;
};

}  // namespace maskgrad
