#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

struct SelectiveScanOptions {
  Tensor initial = {};     ///< [batch, state, inner], before the first step; undefined: zeros
  bool backwards = false;  ///< from a sequence's last valid step to its first
};

struct SelectiveScanResult {
  Tensor output;  ///< [batch, time, inner]
  Tensor state;   ///< [batch, state, inner], behind the last step; of an empty sequence the initial
};

/// The state space recurrence of Mamba, whose decay and input each step chooses, over each
/// sequence's valid steps: h = exp(delta a) h + (delta x) b,  y = sum of c h over `state`.
/// Training keeps a state every 16 steps, and makes the others again; no second derivative does.
/// Shapes:   x, delta [batch, time, inner], a [state, inner], b, c [batch, time, state].
/// Mask:     supports [batch, time], the AND of all; the state carries none. Under [batch] both
///           results carry it.
/// Gradient: of all, and of the initial state, from the output and the state.
/// Throws:   ShapeError, TypeError; MaskError for a mask over features or of `a`, and for an
///           initial state whose mask leaves out a sequence.
/// Source:   Gu and Dao 2023, arXiv:2312.00752.
/// Example:  const mg::Tensor a = -mg::ones({4, 3}), b = mg::zeros({4, 5, 4});
///           mg::selective_scan(x, mg::softplus(y), a, b, b).output;  // [4, 5, 3]
SelectiveScanResult selective_scan(const Tensor& x, const Tensor& delta, const Tensor& a,
                                   const Tensor& b, const Tensor& c,
                                   const SelectiveScanOptions& options = {});

}  // namespace maskgrad
