#pragma once

#include <maskgrad/core/random.hpp>
#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// What additive attention does beside its softmax.
struct AdditiveAttentionOptions {
  bool causal = false;  ///< as attention's
  double dropout = 0;   ///< of the weights, in training
  Seed seed = {};       ///< of dropout
};

/// Each query's mean of the values, weighted by softmax over the keys of
/// sum over d of w[d] tanh(q[d] + k[d]).
/// Shapes:   q [batch, query, dim], k [batch, key, dim], v [batch, key, dim_v], w [dim] ->
///           [batch, query, dim_v].
/// Mask:     supports, as attention: [batch, steps] and [batch]; a key counts where key and value
///           are valid. A query without keys gives 0.
/// Gradient: of q, k, v and w; nothing of size [query, key] is kept.
/// Throws:   ShapeError, TypeError, OptionError; MaskError for a mask over features or of w.
/// Source:   Bahdanau et al. 2015; Keras 3, AdditiveAttention.
/// Example:  mg::additive_attention(y, x, x, mg::ones({3}));  // [4, 5, 3] under y's mask
Tensor additive_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& w,
                          const AdditiveAttentionOptions& options = {});

/// The weights of `additive_attention`, before dropout, to look at: [batch, query, key].
/// Mask:     supports: true where query, key and options allow the pair; none where there is
///           neither a mask nor causal. Of a value's mask: k.with_mask(v.mask()).
/// Gradient: of q, k and w. Needs memory of dim values for every valid pair.
/// Throws:   as additive_attention.
/// Example:  mg::additive_attention_scores(y, x, mg::ones({3}));  // [4, 5, 5]
Tensor additive_attention_scores(const Tensor& q, const Tensor& k, const Tensor& w,
                                 const AdditiveAttentionOptions& options = {});

}  // namespace maskgrad
