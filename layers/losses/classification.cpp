#include <maskgrad/layers/losses/classification.hpp>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/cast.hpp>
#include <maskgrad/autograd/ops/cross_entropy.hpp>
#include <maskgrad/autograd/ops/gather.hpp>
#include <maskgrad/autograd/ops/mask_ops.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/autograd/ops/reshape.hpp>
#include <maskgrad/autograd/ops/unary.hpp>
#include <maskgrad/layers/losses/entropies.hpp>
#include <maskgrad/layers/losses/pairs.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view sparse = "sparse_categorical_crossentropy";

/// The weight of each id's class, of those that the prediction has.
Tensor of_ids(std::string_view name, const Tensor& weight, const Tensor& ids,
              const Tensor& prediction) {
  if (!weight.defined() || ids.is_meta()) return {};
  if (weight.shape() != Shape{prediction.shape().back()}) {
    fail<ShapeError>(name,
                     "the class weights are {} for prediction {}; expected [classes], one for each "
                     "of the {} classes",
                     weight.describe(), prediction.describe(), prediction.shape().back());
  }
  return take(weight.value(), ids);
}

/// The weight of 0 or 1 at each position; between them for targets that are.
Tensor of_truths(std::string_view name, const Tensor& weight, const Tensor& target,
                 const Tensor& positions) {
  if (!weight.defined() || target.is_meta()) return {};
  if (weight.shape() != Shape{2}) {
    fail<ShapeError>(name, "the class weights are {}; expected [2], of 0 and 1", weight.describe());
  }
  const bool feature = target.rank() > positions.rank();
  if (feature && target.shape().back() != 1) {
    fail<OptionError>(name,
                      "class weights for target {}, whose positions have several features, each "
                      "with a class of its own; use sample_weight, or a mask over the features",
                      target.describe());
  }
  const NoGrad no_grad;
  const Tensor w = feature ? squeeze(target.value(), -1) : target.value();
  return weight.item({0}) + cast(w, DType::f64) * (weight.item({1}) - weight.item({0}));
}

/// The ids under a mask that is false where they are `ignored`.
Tensor without(std::int64_t ignored, const Tensor& ids) {
  const Tensor kept = not_equal(ids, full({}, static_cast<double>(ignored), DType::i64));
  return with_mask(ids, Mask::keep(drop_mask(kept, "what is masked does not count")));
}

/// From probabilities, those of the true classes over the sum of all.
Tensor sparse_of_probabilities(const Tensor& target, const Tensor& prediction) {
  check::real(sparse, prediction);
  const auto [ids, p] = losses::together(target, prediction);
  const Tensor own = squeeze(take_along_axis(p, expand_dims(ids, -1), -1), -1);
  return -log(losses::clipped(own / maximum(sum(p, {-1}), losses::epsilon)));
}

void check_sparse(const Tensor& target, const Tensor& prediction) {
  check::ids(sparse, target);
  if (prediction.rank() < 1 ||
      !fits(target.shape(), prediction.shape().sub(0, prediction.rank() - 1))) {
    fail<ShapeError>(sparse,
                     "target {} for prediction {}; expected ids [...] and a prediction [..., "
                     "classes]",
                     target.describe(), prediction.describe());
  }
}

}  // namespace

Loss binary_crossentropy(const Tensor& target, const Tensor& prediction,
                         const CrossentropyOptions& options) {
  constexpr std::string_view name = "binary_crossentropy";
  const auto [t, p] = losses::alike(name, target, prediction);
  const Tensor smoothed = losses::smooth(name, t, options.label_smoothing, 0.5);
  const Tensor positions =
      losses::at_positions(losses::binary_entropy(smoothed, p, options.from_logits));
  return losses::finish({name, target, prediction}, positions, options,
                        of_truths(name, options.class_weight, t, positions));
}

Loss categorical_crossentropy(const Tensor& target, const Tensor& prediction,
                              const CrossentropyOptions& options) {
  constexpr std::string_view name = "categorical_crossentropy";
  const auto [t, p] = losses::whole_rows(name, target, prediction);
  const Tensor smoothed =
      losses::smooth(name, t, options.label_smoothing, losses::one_of_classes(p));
  const Tensor log_p = losses::log_probabilities(p, options.from_logits);
  const Tensor ids = options.class_weight.defined() ? argmax(t.value(), {-1}) : Tensor();
  return losses::finish({name, target, prediction}, -sum(smoothed * log_p, {-1}), options,
                        ids.defined() ? of_ids(name, options.class_weight, ids, p) : ids);
}

Loss sparse_categorical_crossentropy(const Tensor& target, const Tensor& prediction,
                                     const SparseCrossentropyOptions& options) {
  check_sparse(target, prediction);
  Tensor ids = target;
  if (options.ignore_class) ids = without(*options.ignore_class, target);
  const Tensor positions = options.from_logits ? sparse_cross_entropy(ids, prediction)
                                               : sparse_of_probabilities(ids, prediction);
  if (!options.class_weight.defined())
    return losses::finish({sparse, target, prediction}, positions, options);
  return losses::finish(
      {sparse, target, prediction}, positions, options,
      of_ids(sparse, options.class_weight, losses::together(ids, prediction).target, prediction));
}

}  // namespace maskgrad
