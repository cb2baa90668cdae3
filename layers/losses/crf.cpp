#include <maskgrad/layers/losses/crf.hpp>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/sequence/sequence.hpp>
#include <maskgrad/layers/layer/check.hpp>
#include <maskgrad/layers/losses/weights.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view layout = "[batch, time, tags]";

/// 1 at each sequence's first valid step (by 1) or last one (by -1), 0 elsewhere.
Tensor at_end(const Tensor& x, std::int64_t by) {
  const Shape steps = x.shape().sub(0, 2) + Shape{1};
  const Tensor zero = x.is_meta() ? rows::make_meta(steps, x.dtype(), x.mask())
                                  : rows::make_zeros(steps, x.dtype(), x.mask());
  return shift(zero, by, 1);
}

}  // namespace

Loss crf_loss(const Tensor& tags, const Tensor& potentials, const Tensor& transitions,
              const LossOptions& options) {
  constexpr std::string_view name = "crf_loss";
  const losses::Weights weights(name, potentials, std::min(potentials.rank(), 1), options.reduction,
                                options.sample_weight);
  Loss loss = weights.loss(
      crf_negative_log_likelihood(weights.kept(tags), weights.kept(potentials), transitions));
  loss.set_fallen_away(
      losses::checked_fallen_away({name, tags, potentials}, options.strict_lengths));
  return loss;
}

CRF::CRF(CRFOptions options) : info(kind, options.name), options_(std::move(options)) {}

void CRF::build(const Tensor& x, Builder& builder) {
  check::layer_rank(x, 3, layout);
  check::has_features(x);
  const auto tags = x.shape().back();
  transitions_ = builder.weight("transitions", {tags, tags}, options_.transition_initializer);
  if (!options_.use_boundary) return;
  left_ = builder.weight("left_boundary", {tags}, options_.boundary_initializer);
  right_ = builder.weight("right_boundary", {tags}, options_.boundary_initializer);
}

Tensor CRF::forward(const Tensor& x) const {
  check::layer_rank(x, 3, layout);
  check::features(x, transitions_.shape()[0]);
  if (!options_.use_boundary) return x;
  return x + at_end(x, 1) * left_ + at_end(x, -1) * right_;
}

Loss CRF::loss(const Tensor& tags, const Tensor& potentials, const LossOptions& options) const {
  return crf_loss(tags, potentials, transitions_.tensor(), options);
}

Tensor CRF::decode(const Tensor& potentials) const {
  return crf_decode(potentials, transitions_.tensor());
}

CRFDecodeResult CRF::decode_best(const Tensor& potentials, std::int64_t n) const {
  return crf_decode_best(potentials, transitions_.tensor(), n);
}

}  // namespace maskgrad
