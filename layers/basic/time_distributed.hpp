#pragma once

#include <maskgrad/layers/layer/any_layer.hpp>
#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad {

struct TimeDistributedOptions {
  std::string name = {};
};

/// Applies a layer to each step by itself, as to a sample.
/// Shapes:   x [batch, time, ...] -> [batch, time, out...] for a layer that maps [batch, ...] to
///           [batch, out...]. All of its results are given.
/// Mask:     the layer answers: a mask over steps is one over samples to it, and further mask axes,
///           as [batch, time, words], are what its own mask covers. A masked step is not computed.
/// Throws:   ShapeError for fewer than three axes; what the layer throws.
/// Source:   Keras 3, TimeDistributed.
/// Example:  mg::TimeDistributed words{mg::GRU{{.units = 8}}};
///           mg::build(words, heads_spec);
///           words(heads);  // [4, 5, 8]: axis 2 are the steps of the GRU
class TimeDistributed {
 public:
  static constexpr std::string_view kind = "TimeDistributed";
  static constexpr MaskContract contract{
      .role = MaskRole::propagates,
      .why = "its layer sees each valid step as a sample, and answers for the rest",
      .full_role = MaskRole::unsupported,
      .ways_out = "what its layer names",
      .keras = "shows its layer the masked steps too"};

  /// Of another TimeDistributed: TimeDistributed(AnyLayer(inner)), as braces around one are a copy.
  explicit TimeDistributed(AnyLayer layer, TimeDistributedOptions options = {});
  static TimeDistributed from_options(extend::OptionReader& reader);
  void write_options(extend::OptionWriter& writer) const;

  MaskContract contract_now() const;
  TimeContract time_now() const { return {.evaluate_only = layer_.time().evaluate_only}; }
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensors forward(const Tensor& x);

  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    f(self.layer_.info().name, self.layer_);
  }

  LayerInfo info;

 private:
  TimeDistributedOptions options_;
  AnyLayer layer_;
};

}  // namespace maskgrad
