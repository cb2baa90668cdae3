#pragma once

#include <maskgrad/layers/recurrent/recurrent_layer.hpp>

namespace maskgrad {

/// Long short-term memory over each sequence's valid steps.
///   i, f, o = sigmoid(x W + h R + b),  c' = f c + i tanh(x W_c + h R_c + b_c),  h' = o tanh(c')
/// Shapes:   x [batch, time, features] (and h0, c0 [batch, units]) -> the last output [batch,
///           units], or all [batch, time, units]; kernel [features, 4 units], recurrent_kernel
///           [units, 4 units], bias [4 units]; gates i, f, c, o. The states are h, c.
/// Mask:     supports with return_sequences; else consumes: an empty sequence's last output is
///           masked, its states are the initial ones.
/// Throws:   OptionError, ShapeError, MaskError (a mask over features).
/// Source:   Hochreiter and Schmidhuber 1997; Keras 3, LSTM.
/// Example:  mg::LSTM lstm{{.units = 8}};
///           mg::build(lstm, spec);
///           lstm(x);                                      // [4, 8]: behind each last valid step
///           const auto state = lstm.with_state(x).state;  // state.h and state.c, [4, 8]
class LSTM : public detail::RecurrentLayer<LSTM, kernels::Cell::lstm> {
 public:
  static constexpr std::string_view kind = "LSTM";
  using RecurrentLayer::RecurrentLayer;
};

}  // namespace maskgrad
