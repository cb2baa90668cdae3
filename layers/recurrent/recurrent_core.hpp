#pragma once

#include <maskgrad/autograd/ops/activations.hpp>
#include <maskgrad/autograd/ops/recurrent.hpp>
#include <maskgrad/core/random.hpp>
#include <maskgrad/layers/layer.hpp>
#include <maskgrad/layers/recurrent/by_steps.hpp>
#include <maskgrad/layers/recurrent/carried_state.hpp>

namespace maskgrad {

/// What SimpleRNN, GRU, LSTM and their cells have in common: options, weights, and the two ways to
/// run them.
struct RecurrentSettings {
  kernels::Cell cell;
  std::int64_t units = 0;
  std::string activation = "tanh";
  std::string recurrent_activation = "sigmoid";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer recurrent_initializer = "orthogonal";
  Initializer bias_initializer = "zeros";
  bool unit_forget_bias = false;
  double dropout = 0;
  double recurrent_dropout = 0;
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool reset_after = true;
};

class RecurrentCore {
 public:
  /// Throws OptionError, naming `kind`, for options out of range.
  RecurrentCore(std::string_view kind, RecurrentSettings settings);

  /// The weights, for x [..., features].
  void build(const LayerInfo& info, std::string_view kind, const Tensor& x, Builder& builder);
  /// Inputs: x, then initial states; outputs: the output, then the states with `return_state`.
  Tensors forward(const LayerInfo& info, std::string_view kind, const Tensors& inputs,
                  bool with_states);
  /// One step: x [..., features], then its states -> the output and the states behind it.
  Tensors forward_cell(const LayerInfo& info, std::string_view kind, const Tensors& inputs) const;
  /// A cell's steps over whole sequences, by the kernels, where they can.
  bool runs_whole() const { return fused() && (settings_.dropout == 0 || !training()); }
  SteppedResult run_whole(const LayerInfo& info, std::string_view kind, const Tensor& x,
                          const Tensors& states, bool backwards) const;
  /// {output, states...} of a call to `layer`, whose core this is, from an initial state where one
  /// is given.
  template <class L>
  Tensors call_with_state(L& layer, const Tensor& x, const RecurrentState& initial) {
    if (!layer.info.built) detail::place_late(layer.info);
    const LayerScope scope(L::kind, layer.info.path);
    Tensors inputs{x};
    if (initial.h.defined()) inputs.push_back(initial.h);
    if (initial.c.defined()) inputs.push_back(initial.c);
    detail::admit(layer.contract_now(), inputs);
    if (!layer.info.built) detail::build_layer(layer, inputs);
    return forward(layer.info, L::kind, inputs, true);
  }
  const RecurrentSettings& settings() const { return settings_; }
  /// The layer over the steps in the other direction, its outputs in the order of this one's.
  template <class L>
  static L mirrored(const L& layer, RecurrentCore L::*core) {
    auto options = layer.options();
    options.go_backwards = !options.go_backwards;
    L other(options);
    (other.*core).flipped_ = !(layer.*core).flipped_;
    return other;
  }
  int states() const { return settings_.cell == kernels::Cell::lstm ? 2 : 1; }
  /// See reset_states (layers/model/model.hpp).
  void reset_state() { carried_.reset(); }
  void reset_state(std::string_view kind, const std::vector<std::int64_t>& samples) {
    carried_.reset(kind, samples);
  }
  /// Null where the layer is not stateful.
  CarriedState* carried_state() { return settings_.stateful ? &carried_ : nullptr; }

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    f("kernel", self.kernel_);
    f("recurrent_kernel", self.recurrent_kernel_);
    if (self.settings_.use_bias) f("bias", self.bias_);
  }

 private:
  /// Whether the kernels do it in one go: tanh and sigmoid, no recurrent dropout.
  bool fused() const;
  RecurrentResult whole(const Tensor& x, const RecurrentState& initial, bool backwards) const;
  RecurrentResult by_steps(const Tensor& x, const RecurrentState& initial) const;
  Tensor project(const Tensor& x) const;
  RecurrentState step(const Tensor& projected, const RecurrentState& state) const;
  RecurrentState initial_state(std::string_view kind, const Tensors& inputs) const;

  RecurrentSettings settings_;
  ActivationFunction activation_, recurrent_activation_;
  Parameter kernel_, recurrent_kernel_, bias_;
  Seed seed_;
  CarriedState carried_;
  bool flipped_ = false;  ///< outputs stand in the other order of time
};

/// What a recurrent layer does with a mask, as its options make it.
inline constexpr MaskContract recurrent_contract{
    .role = MaskRole::supports,
    .why = "runs each sequence's valid steps in order; without return_sequences it consumes",
    .sample_role = MaskRole::propagates,
    .full_role = MaskRole::unsupported,
    .ways_out =
        "a mask over whole steps · x.drop_mask(\"why\", fill) to put a value where a "
        "feature is missing",
    .after = "read, and passed on; without return_sequences it ends",
    .keras = "repeats the last output at masked steps"};
MaskContract recurrent_contract_of(const RecurrentSettings& settings);

}  // namespace maskgrad
