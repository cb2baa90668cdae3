#pragma once

#include <functional>

#include <maskgrad/layers/layer/spec.hpp>

namespace maskgrad::detail {

/// One step of all sequences: x [batch, features] and the states before it -> the output, then the
/// states behind it.
using StepFunction = std::function<Tensors(const Tensor& x, const Tensors& states)>;

/// Runs `step` over each sequence's valid steps in order, last to first with `backwards`: the slow,
/// general way, a few operations a step. Gives the output, each step's at its own position, then
/// the states behind the last step. Under a mask [batch, time] a step sees the sequences that
/// have it alone, without a mask, so that it costs what its rows cost; those that have ended keep
/// their states. Where there are no steps, or no data, `step` is called without data, for shapes.
/// Shapes:   x [batch, time, features] -> [batch, time, ...], the states.
Tensors run_by_steps(const Tensor& x, Tensors states, bool backwards, const StepFunction& step);

}  // namespace maskgrad::detail
