#pragma once

#include <maskgrad/layers/recurrent/linear_layer.hpp>
#include <maskgrad/layers/recurrent/min_core.hpp>

namespace maskgrad {

using MinGRUOptions = detail::MinOptions;

/// Gated recurrent unit whose gate and candidate see the input alone, so that the states follow
/// each other linearly, over each sequence's valid steps.
///   z = sigmoid(x W_z + b_z),  h' = (1 - z) h + z activation(x W_h + b_h)
/// Shapes:   x [batch, time, features] (and h0 [batch, units]) -> the last output [batch, units],
///           or all [batch, time, units]; kernel [features, 2 units], bias [2 units]; z, h.
/// Mask:     as GRU.
/// Throws:   OptionError, ShapeError, MaskError (a mask over features).
/// Source:   Feng et al. 2024, arXiv:2410.01201.
/// Example:  mg::MinGRU gru{{.units = 8, .return_sequences = true}};
///           mg::build(gru, spec);
///           const auto [output, state] = gru.with_state(x);  // [4, 5, 8] and [4, 8]
class MinGRU : public detail::LinearLayer<MinGRU, detail::MinGRUCore> {
 public:
  static constexpr std::string_view kind = "MinGRU";
  using LinearLayer::LinearLayer;
};

}  // namespace maskgrad
