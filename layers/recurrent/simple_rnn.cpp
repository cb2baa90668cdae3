#include <maskgrad/layers/recurrent/simple_rnn.hpp>

namespace maskgrad {

SimpleRNN::SimpleRNN(SimpleRNNOptions o)
    : info(kind, o.name),
      options_(o),
      core_(kind, {.cell = kernels::Cell::simple_rnn,
                   .units = o.units,
                   .activation = o.activation,
                   .use_bias = o.use_bias,
                   .kernel_initializer = o.kernel_initializer,
                   .recurrent_initializer = o.recurrent_initializer,
                   .bias_initializer = o.bias_initializer,
                   .dropout = o.dropout,
                   .recurrent_dropout = o.recurrent_dropout,
                   .return_sequences = o.return_sequences,
                   .return_state = o.return_state,
                   .go_backwards = o.go_backwards,
                   .stateful = o.stateful}) {}

SimpleRNN::WithState SimpleRNN::with_state(const Tensor& x, const Tensor& initial) {
  const auto all = core_.call_with_state(*this, x, {initial, {}});
  return {all[0], all[1]};
}

SimpleRNN SimpleRNN::mirrored() const {
  return RecurrentCore::mirrored(*this, &SimpleRNN::core_);
}

}  // namespace maskgrad
