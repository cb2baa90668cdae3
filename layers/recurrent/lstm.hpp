#pragma once

#include <maskgrad/layers/options.hpp>
#include <maskgrad/layers/recurrent/recurrent_core.hpp>

namespace maskgrad {

struct LSTMOptions {
  std::int64_t units;
  std::string activation = "tanh";
  std::string recurrent_activation = "sigmoid";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer recurrent_initializer = "orthogonal";
  Initializer bias_initializer = "zeros";
  bool unit_forget_bias = true;
  double dropout = 0;
  double recurrent_dropout = 0;
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(required("units"), o.units);
    f("activation", o.activation);
    f("recurrent_activation", o.recurrent_activation);
    f("use_bias", o.use_bias);
    f("kernel_initializer", o.kernel_initializer);
    f("recurrent_initializer", o.recurrent_initializer);
    f("bias_initializer", o.bias_initializer);
    f("unit_forget_bias", o.unit_forget_bias);
    f("dropout", o.dropout);
    f("recurrent_dropout", o.recurrent_dropout);
    f("return_sequences", o.return_sequences);
    f("return_state", o.return_state);
    f("go_backwards", o.go_backwards);
    f("stateful", o.stateful);
    f("name", o.name);
  }
};

/// Long short-term memory over each sequence's valid steps.
///   i, f, o = sigmoid(x W + h R + b),  c' = f c + i tanh(x W_c + h R_c + b_c),  h' = o tanh(c')
/// Shapes:   x [batch, time, features] (and h0, c0 [batch, units]) -> the last output [batch,
///           units], or all [batch, time, units]; kernel [features, 4 units], recurrent_kernel
///           [units, 4 units], bias [4 units]; gates i, f, c, o. The states are h, c.
/// Mask:     supports with return_sequences; else consumes: an empty sequence's last output is
///           masked, its states are the initial ones.
/// Throws:   OptionError, ShapeError, MaskError (a mask over features).
/// Source:   Hochreiter and Schmidhuber 1997; Keras 3, LSTM.
class LSTM {
 public:
  using Options = LSTMOptions;
  static constexpr std::string_view kind = "LSTM";
  static constexpr MaskContract contract = recurrent_contract;

  explicit LSTM(LSTMOptions options);
  MaskContract contract_now() const { return recurrent_contract_of(core_.settings()); }
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  /// {output, state}, from an initial state where one is given.
  struct WithState {
    Tensor output;
    RecurrentState state;
  };
  WithState with_state(const Tensor& x, const RecurrentState& initial = {});
  const Options& options() const { return options_; }
  void build(const Tensor& x, Builder& builder) { core_.build(info, kind, x, builder); }
  Tensors forward(const Tensors& inputs) {
    return core_.forward(info, kind, inputs, core_.settings().return_state);
  }

  /// The same layer without weights, over the steps in the other direction, its outputs back in
  /// this one's order: the other half of a Bidirectional.
  LSTM mirrored() const;

  /// With `stateful`: the next batch begins anew, or these samples of it.
  void reset_state() { core_.reset_state(); }
  void reset_state(const std::vector<std::int64_t>& samples) { core_.reset_state(kind, samples); }
  CarriedState* carried_state() { return core_.carried_state(); }

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    RecurrentCore::each_parameter(self.core_, f);
  }

  LayerInfo info;

 private:
  Options options_;
  RecurrentCore core_;
};

}  // namespace maskgrad
