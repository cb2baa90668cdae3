#pragma once

#include "compare.hpp"

namespace maskgrad::conformance {

/// Runs a case with the library's layer, loss or optimizer of that name; what the library throws
/// leaves as it is.
void run_layer(const Case& c, Comparison& result);
void run_raises(const Case& c, Comparison& result);
void run_loss(const Case& c, Comparison& result);
void run_optimizer(const Case& c, Comparison& result);

/// An input of a case: the dense leaf of the tape, and the same under its mask.
struct Input {
  std::string name;  ///< `input`, `input.1`
  Mask mask;
  Tensor leaf, x;
};
std::vector<Input> inputs_of(const Case& c);
/// The gradients of the inputs that the case expects.
void compare_input_gradients(const Case& c, const std::vector<Input>& inputs, Comparison& result);

}  // namespace maskgrad::conformance
