#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// Each step as a sample of its own: x [batch, time, ...] as [batch * time, ...].
/// Mask:     over steps it is one over samples; of a mask [batch] each step is valid or not.
/// Gradient: dy under the shape of x. Throws: ShapeError for fewer than two axes.
/// Example:  mg::steps_as_samples(x);  // [20, 3] under a mask [20]
Tensor steps_as_samples(const Tensor& x);

/// The way back: y, made of `samples`, which were steps_as_samples(x), as [batch, time, ...].
/// Mask:     that of x where y has the one of `samples`; else y's own over [batch, time, ...].
/// Gradient: dy under the shape of y. Throws: ShapeError unless y has as many samples.
/// Example:  const mg::Tensor samples = mg::steps_as_samples(x);
///           mg::samples_as_steps(mg::tanh(samples), samples, x);  // [4, 5, 3]
Tensor samples_as_steps(const Tensor& y, const Tensor& samples, const Tensor& x);

}  // namespace maskgrad
