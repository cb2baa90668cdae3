#pragma once

#include "autograd/op_cases.hpp"

namespace maskgrad::tests {

/// Gradients of a case against differences, without a mask and under every pattern of every mask
/// that it accepts; of order 2 second derivatives too.
void check_gradients(const OpCase& c, int order = 1);
/// The laws in f64; in f32 law 1 and those that need no second batch.
void check_laws(const OpCase& c, DType dtype);
/// The laws, under masks over steps, of the gradient of the sum of squares of what f gives, by its
/// first input of sequences: their backward is the second derivative. False where it has none.
bool check_second_laws(const OpCase& c);

}  // namespace maskgrad::tests
