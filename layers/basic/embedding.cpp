#include <maskgrad/layers/basic/embedding.hpp>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

Embedding::Embedding(EmbeddingOptions options)
    : info(kind, options.name), options_(std::move(options)) {
  check::at_least(kind, "input_dim", options_.input_dim, 1);
  check::at_least(kind, "output_dim", options_.output_dim, 1);
}

MaskContract Embedding::contract_now() const {
  if (options_.mask_zero) return contract;
  return {.role = MaskRole::propagates, .why = "each id is looked up by itself"};
}

void Embedding::build(const Tensor&, Builder& builder) {
  embeddings_ = builder.weight("embeddings", {options_.input_dim, options_.output_dim},
                               options_.embeddings_initializer);
}

Tensor Embedding::forward(const Tensor& ids) const {
  if (!options_.mask_zero) return take(embeddings_, ids);
  const Tensor dense = drop_mask(ids, "ids that have a mask already are padding", 0);
  const Tensor there = not_equal(dense, scalar(0, ids.dtype()));
  return take(embeddings_, with_mask(ids, Mask::keep(there)));
}

}  // namespace maskgrad
