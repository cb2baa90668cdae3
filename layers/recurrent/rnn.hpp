#pragma once

#include <maskgrad/layers/recurrent/cells.hpp>

namespace maskgrad {

/// Runs a cell, or cells on top of each other, over each sequence's valid steps: those of this
/// library by the kernels of SimpleRNN, GRU and LSTM where they can, one's own step by step, or as
/// it says itself (see cell_contract).
/// Shapes:   x [batch, time, features] (and initial states [batch, size]) -> the last output
///           [batch, size], or all [batch, time, size]; then the states with return_state.
/// Mask:     as GRU.
/// Throws:   OptionError for a layer that is no cell; ShapeError, MaskError.
/// Source:   Keras 3, RNN.
/// Example:  mg::RNN rnn{mg::GRUCell{{.units = 8}}, {.return_sequences = true}};
///           mg::build(rnn, spec);
///           rnn(x);  // [4, 5, 8]
class RNN {
 public:
  using Options = RNNOptions;
  static constexpr std::string_view kind = "RNN";
  static constexpr MaskContract contract = detail::recurrent_contract;
  static constexpr TimeContract time = detail::recurrent_time;
  TimeContract time_now() const { return recurrence_.time(); }
  std::optional<TimeContract> time_over_context(std::int64_t) const { return time_now(); }

  explicit RNN(AnyLayer cell, RNNOptions options = {});
  static RNN from_options(extend::OptionReader& reader);
  void write_options(extend::OptionWriter& writer) const;
  /// The same in the other direction, for Bidirectional.
  RNN mirrored() const;

  MaskContract contract_now() const { return recurrence_.contract(); }
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensors forward(const Tensors& inputs);
  void reset_state() { recurrence_.reset_state(); }
  void reset_state(const std::vector<std::int64_t>& samples) {
    recurrence_.reset_state(kind, samples);
  }
  detail::CarriedState* carried_state() { return recurrence_.carried_state(); }

  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    f("cell", self.cell_);
  }

  const Options& options() const { return recurrence_.options(); }
  LayerInfo info;

 private:
  AnyLayer cell_;
  detail::Recurrence recurrence_;
};

}  // namespace maskgrad
