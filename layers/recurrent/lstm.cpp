#include <maskgrad/layers/recurrent/lstm.hpp>

namespace maskgrad {

LSTM::LSTM(LSTMOptions o)
    : info(kind, o.name),
      options_(o),
      core_(kind, {.cell = kernels::Cell::lstm,
                   .units = o.units,
                   .activation = o.activation,
                   .recurrent_activation = o.recurrent_activation,
                   .use_bias = o.use_bias,
                   .kernel_initializer = o.kernel_initializer,
                   .recurrent_initializer = o.recurrent_initializer,
                   .bias_initializer = o.bias_initializer,
                   .unit_forget_bias = o.unit_forget_bias,
                   .dropout = o.dropout,
                   .recurrent_dropout = o.recurrent_dropout,
                   .return_sequences = o.return_sequences,
                   .return_state = o.return_state,
                   .go_backwards = o.go_backwards,
                   .stateful = o.stateful}) {}

LSTM::WithState LSTM::with_state(const Tensor& x, const RecurrentState& initial) {
  const auto all = core_.call_with_state(*this, x, initial);
  return {all[0], {all[1], all[2]}};
}

LSTM LSTM::mirrored() const {
  return RecurrentCore::mirrored(*this, &LSTM::core_);
}

}  // namespace maskgrad
