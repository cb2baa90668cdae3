#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

struct LinearRecurrenceOptions {
  Tensor initial = {};     ///< [batch, ...], the state before the first step; undefined: zeros
  bool backwards = false;  ///< from a sequence's last valid step to its first
};

struct LinearRecurrenceResult {
  Tensor output;  ///< [batch, time, ...], the state behind each step
  Tensor state;   ///< [batch, ...], that behind the last; of an empty sequence the initial one
};

/// h = a h + b, value by value, over each sequence's valid steps in order: a masked step neither
/// decays nor adds. Where a is 0 what was before is not read, be it infinite or NaN.
/// Shapes:   a, b [batch, time, ...] -> all h, [batch, time, ...].
/// Mask:     supports [batch, time], the AND of both; under [batch] a row is a sequence.
/// Gradient: from the last step to the first, g = dy + (a g of the next step); db = g, da = g h of
///           the step before; of the initial state a g of the first step.
/// Throws:   ShapeError, TypeError; MaskError for a mask over further axes, and for an initial
///           state whose mask leaves out a sequence.
/// Source:   Martin and Cundy 2018, arXiv:1709.04057.
/// Example:  const mg::Tensor decay = mg::sigmoid(x);
///           mg::linear_recurrence(decay, (1 - decay) * y);  // [4, 5, 3], moving averages of y
Tensor linear_recurrence(const Tensor& a, const Tensor& b,
                         const LinearRecurrenceOptions& options = {});

/// The same with the last state too, from which another call goes on.
/// Mask:     the state carries none; under [batch] it carries that.
/// Example:  const auto [h, last] = mg::linear_recurrence_with_state(mg::sigmoid(x), x);
///           mg::linear_recurrence(mg::sigmoid(y), y, {.initial = last});  // goes on from there
LinearRecurrenceResult linear_recurrence_with_state(const Tensor& a, const Tensor& b,
                                                    const LinearRecurrenceOptions& options = {});

}  // namespace maskgrad
