#pragma once

#include <maskgrad/layers/recurrent/by_steps.hpp>
#include <maskgrad/layers/recurrent/cells.hpp>

namespace maskgrad {

struct RNNOptions {
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("return_sequences", o.return_sequences);
    f("return_state", o.return_state);
    f("go_backwards", o.go_backwards);
    f("stateful", o.stateful);
    f("name", o.name);
  }
};

/// Runs a cell, or cells on top of each other, over each sequence's valid steps. Cells of this
/// library go by the kernels of SimpleRNN, GRU and LSTM (see runs_whole), one's own step by step.
/// Shapes:   x [batch, time, features] (and initial states [batch, size]) -> the last output
///           [batch, size], or all [batch, time, size]; then the states with return_state.
/// Mask:     as GRU.
/// Throws:   OptionError for a layer that is no cell; ShapeError, MaskError.
/// Source:   Keras 3, RNN.
/// Example:  mg::RNN{mg::StackedRNNCells({mg::GRUCell{{.units = 8}}, mg::LSTMCell{{.units = 8}}})}
class RNN {
 public:
  using Options = RNNOptions;
  static constexpr std::string_view kind = "RNN";
  static constexpr MaskContract contract = recurrent_contract;

  explicit RNN(AnyLayer cell, RNNOptions options = {});
  static RNN from_options(OptionReader& reader);
  void write_options(OptionWriter& writer) const;
  /// The same in the other direction, for Bidirectional.
  RNN mirrored() const;

  MaskContract contract_now() const;
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensors forward(const Tensors& inputs);
  void reset_state() { carried_.reset(); }
  void reset_state(const std::vector<std::int64_t>& samples) { carried_.reset(kind, samples); }
  CarriedState* carried_state() { return options_.stateful ? &carried_ : nullptr; }

  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    f("cell", self.cell_);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  Tensors initial_states(const Tensors& inputs) const;
  /// The cell's results for the first step of a tensor without steps or data.
  SteppedResult without_steps(const Tensor& x, const Tensors& states);

  Options options_;
  AnyLayer cell_;
  CarriedState carried_;
  bool flipped_ = false;  ///< outputs stand in the other order of time
};

}  // namespace maskgrad
