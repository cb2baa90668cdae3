#pragma once

#include <string_view>

#include <maskgrad/autograd/ops/attention/attention_call.hpp>

/// Attention made of other operations, with every pair in memory: what its second derivative is
/// made of. Heads come second here: [batch, heads, query, key].
namespace maskgrad::attention_detail {

/// [batch, steps, heads, dim] as [batch, heads, steps, dim], without a mask; each head `times`.
Tensor by_heads(const Tensor& x, std::int64_t times = 1);
/// scale q k^T + bias of all pairs.
Tensor scores_of_pairs(const Call& call, const Tensor& q, const Tensor& k, const Tensor& bias);
/// The mean of the values v [batch, heads, key, dim], weighed by the softmax over the keys of the
/// pairs that the call has, and by its dropout. `q` and `k` say where the rows stand.
Tensor mean_of_pairs(std::string_view op, const Call& call, const CallNoise& noise, const Tensor& q,
                     const Tensor& k, const Tensor& scores, const Tensor& v);

}  // namespace maskgrad::attention_detail
