#pragma once

#include <concepts>

#include <maskgrad/layers/any_layer.hpp>
#include <maskgrad/layers/options.hpp>

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
/// Example:  mg::Bidirectional{mg::GRU{{.units = 64}}, {.merge_mode = "sum"}}
class Bidirectional {
 public:
  static constexpr std::string_view kind = "Bidirectional";
  static constexpr MaskContract contract{
      .role = MaskRole::supports,
      .why =
          "runs each sequence's valid steps in both orders; without return_sequences it consumes",
      .sample_role = MaskRole::propagates,
      .full_role = MaskRole::unsupported,
      .ways_out =
          "a mask over whole steps · x.drop_mask(\"why\", fill) to put a value where a "
          "feature is missing",
      .after = "read, and passed on; without return_sequences it ends",
      .keras = "repeats the last output at masked steps"};

  template <Layer L>
  requires(requires(const L& layer) {
    { layer.mirrored() } -> std::same_as<L>;
  }) explicit Bidirectional(const L& layer, BidirectionalOptions options = {})
      : Bidirectional(AnyLayer(layer), AnyLayer(layer.mirrored()), std::move(options)) {}
  Bidirectional(AnyLayer forward, AnyLayer backward, BidirectionalOptions options);
  /// From `layer` (a description of the forward one), `merge_mode` and `name`.
  static Bidirectional from_options(OptionReader& reader);
  void write_options(OptionWriter& writer) const;

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
