#pragma once

#include <maskgrad/layers/recurrent/recurrent_layer.hpp>

namespace maskgrad {

/// Gated recurrent unit over each sequence's valid steps.
///   z, r = sigmoid(x W + h R + b),  h' = z h + (1 - z) tanh(x W_h + r (h R_h + b_rh) + b_h)
/// Shapes:   x [batch, time, features] (and h0 [batch, units]) -> the last output [batch, units],
///           or all [batch, time, units]; kernel [features, 3 units], recurrent_kernel
///           [units, 3 units], bias [2, 3 units] ([3 units] without reset_after); gates z, r, h.
/// Mask:     supports with return_sequences; else consumes: an empty sequence's last output is
///           masked, its state is the initial one.
/// Throws:   OptionError, ShapeError, MaskError (a mask over features).
/// Source:   Cho et al. 2014; Keras 3, GRU.
/// Example:  mg::GRU gru{{.units = 8, .return_sequences = true}};
///           mg::build(gru, spec);
///           const auto [output, state] = gru.with_state(x);  // [4, 5, 8] and [4, 8]
///           gru.with_state(y, state);                        // goes on from there
class GRU : public detail::RecurrentLayer<GRU, kernels::Cell::gru> {
 public:
  static constexpr std::string_view kind = "GRU";
  using RecurrentLayer::RecurrentLayer;
};

}  // namespace maskgrad
