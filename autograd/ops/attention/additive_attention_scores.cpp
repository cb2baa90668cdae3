#include <maskgrad/autograd/ops/attention/additive_attention_call.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/reduce/softmax.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view additive_scores_op = "additive_attention_scores";

/// The pairs [batch, query, key] in which the key does not stand behind the query.
Mask causal_pairs(const Tensor& q, const Tensor& k, const AdditiveAttentionOptions& options) {
  if (q.is_meta() || k.is_meta()) {
    return masks::meta({q.shape()[0], q.shape()[1], k.shape()[1]},
                       masks::origin_here(additive_scores_op));
  }
  return additive_detail::call(additive_scores_op, q, k, options).pairs(additive_scores_op, q, k);
}

}  // namespace

namespace additive_detail {

void check_call(std::string_view op, const Tensor& q, const Tensor& k, const Tensor& w,
                const AdditiveAttentionOptions& options) {
  check::rank(op, q, 3, "[batch, query, features]");
  check::rank(op, k, 3, "[batch, key, features]");
  check::whole_steps(op, q, "features");
  check::whole_steps(op, k, "features");
  attention_detail::check_call(op, expand_dims(q, 2), expand_dims(k, 2),
                               {.causal = options.causal, .dropout = options.dropout});
  check::same_dtype(op, q, w);
  check::no_mask(op, w, "it weighs the features of every pair", "mask queries or keys");
  if (w.rank() == 1 && fits(w.shape()[0], q.shape()[2])) return;
  fail<ShapeError>(op, "the weights {} for queries {}; expected one for each feature", w.describe(),
                   q.describe());
}

attention_detail::Call call(std::string_view op, const Tensor& q, const Tensor& k,
                            const AdditiveAttentionOptions& options) {
  return {op, expand_dims(q, 2), expand_dims(k, 2), {.causal = options.causal}};
}

}  // namespace additive_detail

Tensor additive_attention_scores(const Tensor& q, const Tensor& k, const Tensor& w,
                                 const AdditiveAttentionOptions& options) {
  additive_detail::check_call(additive_scores_op, q, k, w, options);
  Tensor pairs = expand_dims(q, 2) + expand_dims(k, 1);
  if (options.causal) {
    pairs = with_mask(pairs, causal_pairs(q, k, options));
  }
  const Tensor scores = matmul(tanh(pairs), expand_dims(w, 1));
  return softmax(squeeze(scores, 3), 2);
}

}  // namespace maskgrad
