#pragma once

#include <concepts>

#include <maskgrad/layers/layer/any_layer.hpp>
#include <maskgrad/layers/layer/options.hpp>
#include <maskgrad/layers/recurrent/recurrence.hpp>

namespace maskgrad {

struct BidirectionalOptions {
  std::string merge_mode = "concat";  ///< concat, sum, mul, ave, or none: both outputs
  std::string name = {};
};

/// A recurrent layer and its mirror image over the same steps; the backward one runs each
/// sequence's valid steps last to first, and its outputs are put back at their own positions.
/// Shapes:   as the layer; with concat twice as many units.
/// Mask:     as the layer.
/// Outputs:  merged (with `none` forward, backward), then the states of both where the layer gives
///           them. Further inputs: initial states, the forward layer's first.
/// Throws:   OptionError for an unknown merge_mode; what the layer throws.
/// Source:   Schuster and Paliwal 1997; Keras 3, Bidirectional.
/// Example:  mg::Bidirectional both{mg::GRU{{.units = 64}}, {.merge_mode = "sum"}};
///           mg::build(both, spec);
///           both(x);  // [4, 64]; with concat [4, 128]
class Bidirectional {
 public:
  static constexpr std::string_view kind = "Bidirectional";
  static constexpr MaskContract contract = [] {
    MaskContract both = detail::recurrent_contract;
    both.why =
        "runs each sequence's valid steps in both orders; without return_sequences it consumes";
    return both;
  }();
  static constexpr TimeContract time =
      TimeContract::whole("half of it runs from the last step to the first",
                          "the layer in it alone, which runs forward");

  template <Layer L>
  requires(requires(const L& layer) {
    { layer.mirrored() } -> std::same_as<L>;
  }) explicit Bidirectional(const L& layer, BidirectionalOptions options = {})
      : Bidirectional(AnyLayer(layer), AnyLayer(layer.mirrored()), std::move(options)) {}
  Bidirectional(AnyLayer forward, AnyLayer backward, BidirectionalOptions options);
  /// From `layer` (a description of the forward one), `merge_mode` and `name`.
  static Bidirectional from_options(extend::OptionReader& reader);
  void write_options(extend::OptionWriter& writer) const;

  MaskContract contract_now() const { return forward_.contract(); }
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensors forward(const Tensors& inputs);

  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    f("forward", self.forward_);
    f("backward", self.backward_);
  }

  LayerInfo info;

 private:
  enum class Merge { concat, sum, mul, ave, none };

  Tensors merged(const Tensor& a, const Tensor& b) const;

  BidirectionalOptions options_;
  AnyLayer forward_, backward_;
  Merge merge_;
};

}  // namespace maskgrad
