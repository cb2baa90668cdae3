#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad::detail {

struct DecayedAttention {
  Tensor output;  ///< [batch, time, heads, value_dim]
  Tensor state;   ///< [batch, heads, key_dim, value_dim]
};

/// Attention whose weights are products of query and key, and decay from step to step, over each
/// sequence's valid steps: S = exp(log_decay) S + k v^T,  output = q S. As products within pieces
/// of steps and a linear recurrence from piece to piece: memory holds the scores of a piece and
/// one state for each, never one for each step.
/// Shapes:   q, k [batch, time, heads, key_dim], v [batch, time, heads, value_dim], log_decay
///           [batch, time, heads] (0 or less), all under one mask; initial [batch, heads, key_dim,
///           value_dim], or undefined: zeros.
/// `backwards`: from a sequence's last valid step to its first.
DecayedAttention decayed_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                   const Tensor& log_decay, const Tensor& initial, bool backwards);

}  // namespace maskgrad::detail
