#pragma once

#include <functional>

#include <maskgrad/layers/spec.hpp>

namespace maskgrad {

/// One step of all sequences: x [batch, features] and the states before it -> the output and the
/// states behind it.
using StepFunction = std::function<Tensors(const Tensor& x, const Tensors& states)>;

struct SteppedResult {
  Tensor output;  ///< [batch, time, ...], a step's output at its own position
  Tensors states;
};

/// Runs `step` over each sequence's valid steps in order, last to first with `backwards`: the slow,
/// general way, a few operations a step. Under a mask [batch, time] a step sees the sequences that
/// have it alone, without a mask, so that it costs what its rows cost; those that have ended keep
/// their states.
/// Shapes:   x [batch, time, features], time known and above 0.
SteppedResult run_by_steps(const Tensor& x, Tensors states, bool backwards,
                           const StepFunction& step);

/// `given`, or zeros [batch, units]; under x's mask where that is one over samples.
Tensor first_state(const Tensor& x, const Tensor& given, std::int64_t units);

/// The last output, which is there where a sequence has a step: `state` under that mask.
Tensor last_output(const Tensor& x, const Tensor& state);

}  // namespace maskgrad
