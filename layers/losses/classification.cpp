#include <maskgrad/layers/losses/classification.hpp>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/loss/cross_entropy.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/layers/losses/entropies.hpp>
#include <maskgrad/layers/losses/weights.hpp>

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
Tensor of_truths(std::string_view name, const Tensor& weight, const Tensor& target) {
  if (!weight.defined() || target.is_meta()) return {};
  if (weight.shape() != Shape{2}) {
    fail<ShapeError>(name, "the class weights are {}; expected [2], of 0 and 1", weight.describe());
  }
  const bool feature = target.rank() > losses::position_axes(target);
  if (feature && target.shape().back() != 1) {
    fail<OptionError>(name,
                      "class weights for target {}, whose positions have several features, each "
                      "with a class of its own; use sample_weight, or a mask over the features",
                      target.describe());
  }
  const NoGrad no_grad;
  const Tensor w = feature ? squeeze(target.value(), -1) : target.value();
  const Tensor one = cast(w, DType::f64);
  return weight.item({0}) * (1 - one) + weight.item({1}) * one;
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
  return -losses::log_clipped(own / maximum(sum(p, {-1}), losses::epsilon));
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
  auto in = losses::read_values(name, target, prediction, options);
  in.times(of_truths(name, options.class_weight, in.target));
  const Tensor t = losses::smooth(name, in.target, options.label_smoothing, 0.5);
  in.target = t;
  const auto mean = [&](const auto& kernel) {
    return losses::mean_over_features(
        name, in, kernel, [logits = options.from_logits](const Tensor& of, const Tensor& p) {
          return losses::binary_entropy(of, p, logits);
        });
  };
  using namespace row_loss;
  return options.from_logits
             ? mean(Mean{logit_entropies, logit_entropies_to_t, logit_entropies_to_x})
             : mean(Mean{binary_entropies, binary_entropies_to_t, binary_entropies_to_p});
}

Loss categorical_crossentropy(const Tensor& target, const Tensor& prediction,
                              const CrossentropyOptions& options) {
  constexpr std::string_view name = "categorical_crossentropy";
  auto in = losses::read_rows(name, target, prediction, options);
  if (options.class_weight.defined()) {
    in.times(of_ids(name, options.class_weight, argmax(in.target.value(), {-1}), in.prediction));
  }
  const Tensor& p = in.prediction;
  const Tensor t =
      losses::smooth(name, in.target, options.label_smoothing, losses::one_of_classes(p));
  const auto entropy = [&](const auto& kernel) {
    return in.weights.loss(row_loss::of_rows(
        name, t, p, kernel, [logits = options.from_logits](const Tensor& of, const Tensor& x) {
          return -sum(losses::weighed(of, losses::log_probabilities(x, logits)), {-1});
        }));
  };
  return options.from_logits ? entropy(row_loss::CategoricalOfLogits{})
                             : entropy(row_loss::CategoricalOfProbabilities{});
}

Loss sparse_categorical_crossentropy(const Tensor& target, const Tensor& prediction,
                                     const SparseCrossentropyOptions& options) {
  check_sparse(target, prediction);
  losses::Pair pair{target, prediction};
  if (options.ignore_class) pair.target = without(*options.ignore_class, target);
  if (options.sample_weight.defined() || options.class_weight.defined()) {
    check::inner_axis(sparse, prediction, -1, "mask whole positions");
    pair = losses::together(pair.target, prediction);
  }
  auto in = losses::read({sparse, target, prediction}, pair, target.rank(), options);
  in.times(of_ids(sparse, options.class_weight, in.target, in.prediction));
  return in.weights.loss(options.from_logits
                             ? detail::sparse_cross_entropy(in.target, in.prediction)
                             : sparse_of_probabilities(in.target, in.prediction));
}

}  // namespace maskgrad
