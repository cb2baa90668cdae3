#include <maskgrad/layers/attention/attention_pooling.hpp>

#include <cmath>

#include <maskgrad/autograd/ops/attention/attention.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/sequence/positions.hpp>
#include <maskgrad/autograd/ops/shape/repeat.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/autograd/plans/reduced.hpp>
#include <maskgrad/layers/layer/check.hpp>
#include <maskgrad/layers/layer/so_far.hpp>

namespace maskgrad {

AttentionPooling1D::AttentionPooling1D(AttentionPooling1DOptions options)
    : info(kind, options.name), options_(std::move(options)) {
  check::at_least(kind, "num_heads", options_.num_heads, 1);
  check::rate(kind, "dropout", options_.dropout);
}

void AttentionPooling1D::build(const Tensor& x, Builder& builder) {
  check::layer_rank(x, 3, "[batch, time, features]");
  check::has_features(x);
  const auto features = x.shape()[2], heads = options_.num_heads;
  if (features % heads != 0) {
    fail<ShapeError>(kind, "input is {} with .num_heads {}; expected a multiple of it as features",
                     x.describe(), heads);
  }
  query_ = builder.weight("query", {heads, features / heads}, options_.query_initializer);
  seed_ = options_.seed.value_or(builder.layer_seed());
}

Tensor AttentionPooling1D::forward(const Tensor& x) const {
  check::layer_rank(x, 3, "[batch, time, features]");
  const auto heads = query_.shape()[0], dim = query_.shape()[1];
  check::features(x, heads * dim);
  const auto batch = x.shape()[0];
  const Shape one{batch, 1, heads, dim};
  const Tensor query = x.is_meta() ? rows::make_meta(one, x.dtype())
                                   : broadcast_to(reshape(query_, {1, 1, heads, dim}), one);
  const Tensor steps = reshape(x, x.shape().sub(0, 2) + Shape{heads, dim});
  const Tensor y = attention(query, steps, steps, {.dropout = options_.dropout, .seed = seed_});
  const bool keep = options_.keepdims;
  const Shape result = keep ? Shape{batch, 1, heads * dim} : Shape{batch, heads * dim};
  if (auto* slot = extend::stream_slot(x)) {
    const double scale = 1 / std::sqrt(static_cast<double>(dim));
    const Tensor weights = logsumexp(sum(steps * query_, -1) * scale, 1);
    const Tensor all = detail::weighted_so_far(*slot, reshape(y, {batch, heads, dim}), weights);
    const Mask there = all.mask();
    const Tensor flat = reshape(there ? all.drop_mask("put back below") : all, result);
    return there ? with_mask(flat, keep ? masks::reshape(there, {batch, 1}) : there) : flat;
  }
  const Tensor flat = reshape(y, result);
  // Which sequences have a step is what a mean of their positions would be masked by.
  const Mask there = Reduced(kind, positions(x), 1, keep, 1).mask;
  return there ? with_mask(flat, there) : flat;
}

}  // namespace maskgrad
