#pragma once

#include <maskgrad/layers/recurrent/recurrent_layer.hpp>

namespace maskgrad {

/// Fully connected recurrence over each sequence's valid steps: h' = tanh(x W + h R + b).
/// Shapes:   x [batch, time, features] (and h0 [batch, units]) -> the last output [batch, units],
///           or all [batch, time, units]; kernel [features, units], recurrent_kernel [units,
///           units], bias [units].
/// Mask:     supports with return_sequences; else consumes: an empty sequence's last output is
///           masked, its state is the initial one.
/// Throws:   OptionError, ShapeError, MaskError (a mask over features).
/// Source:   Elman 1990; Keras 3, SimpleRNN.
/// Example:  mg::SimpleRNN rnn{{.units = 8, .activation = "relu"}};
///           mg::build(rnn, spec);
///           rnn(x);  // [4, 8]: behind each sequence's last valid step
class SimpleRNN : public detail::RecurrentLayer<SimpleRNN, kernels::Cell::simple_rnn> {
 public:
  static constexpr std::string_view kind = "SimpleRNN";
  using RecurrentLayer::RecurrentLayer;
};

}  // namespace maskgrad
