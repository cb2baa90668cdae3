#pragma once

#include <maskgrad/layers/recurrent/linear_layer.hpp>
#include <maskgrad/layers/recurrent/min_core.hpp>

namespace maskgrad {

using MinLSTMOptions = detail::MinOptions;

/// Long short-term memory without output gate whose gates see the input alone and share 1 between
/// them, so that the states follow each other linearly, over each sequence's valid steps.
///   f, i = sigmoid(x W + b),  h' = f / (f + i) h + i / (f + i) activation(x W_h + b_h)
/// Shapes:   x [batch, time, features] (and h0 [batch, units]) -> the last output [batch, units],
///           or all [batch, time, units]; kernel [features, 3 units], bias [3 units]; f, i, h.
/// Mask:     as GRU.
/// Throws:   OptionError, ShapeError, MaskError (a mask over features).
/// Source:   Feng et al. 2024, arXiv:2410.01201.
/// Example:  mg::MinLSTM lstm{{.units = 8}};
///           mg::build(lstm, spec);
///           lstm(x);  // [4, 8]: behind each sequence's last valid step
class MinLSTM : public detail::LinearLayer<MinLSTM, detail::MinLSTMCore> {
 public:
  static constexpr std::string_view kind = "MinLSTM";
  using LinearLayer::LinearLayer;
};

}  // namespace maskgrad
