#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

struct CausalConvolutionOptions {
  Tensor initial = {};     ///< [batch, width - 1, features], the steps before; undefined: zeros
  bool backwards = false;  ///< a step sees those behind it, and the last ones come first
};

struct CausalConvolutionResult {
  Tensor output;  ///< [batch, time, features]
  Tensor state;   ///< [batch, width - 1, features], the last steps in the order in which they ran
};

/// Each feature by itself convolved over the valid steps of each sequence, a step with the width -
/// 1 before it: y[k] = sum over i of kernel[i] x[k - width + 1 + i]. It can go on from its state.
/// Shapes:   x [batch, time, features], kernel [width, features].
/// Mask:     supports [batch, time]; the state carries none. Under [batch] both results carry it.
/// Gradient: of x, the kernel and the initial steps, from the output and the state.
/// Throws:   ShapeError, TypeError; MaskError for a mask over features or of the kernel, and for
///           initial steps whose mask leaves out a sequence.
/// Example:  mg::causal_convolution(x, mg::full({2, 3}, 0.5)).output;  // [4, 5, 3]
CausalConvolutionResult causal_convolution(const Tensor& x, const Tensor& kernel,
                                           const CausalConvolutionOptions& options = {});

}  // namespace maskgrad
