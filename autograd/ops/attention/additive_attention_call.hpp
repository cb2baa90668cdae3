#pragma once

#include <maskgrad/autograd/ops/attention/additive_attention.hpp>
#include <maskgrad/autograd/ops/attention/attention_call.hpp>

/// What additive_attention and its scores share.
namespace maskgrad::additive_detail {

/// Throws for queries, keys, weights and options that do not fit.
void check_call(std::string_view op, const Tensor& q, const Tensor& k, const Tensor& w,
                const AdditiveAttentionOptions& options);
/// Who sees whom: as attention with one head.
attention_detail::Call call(std::string_view op, const Tensor& q, const Tensor& k,
                            const AdditiveAttentionOptions& options);

}  // namespace maskgrad::additive_detail
