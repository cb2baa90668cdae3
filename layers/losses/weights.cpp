#include <maskgrad/layers/losses/weights.hpp>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/layers/losses/pairs.hpp>

namespace maskgrad::losses {
namespace {

std::vector<int> inner_axes(const Tensor& x) {
  std::vector<int> axes;
  for (int i = 1; i < x.rank(); ++i) axes.push_back(i);
  return axes;
}

/// The mask of x over the positions; where it covers steps of a position that is a whole sequence,
/// the sequences that have one.
Mask mask_of(const Tensor& x, const Shape& positions) {
  const int more = x.has_mask() ? x.mask().rank() - positions.rank() : 0;
  if (more <= 0) return x.mask();
  if (more > 1) return {};  // what reads it refuses it
  std::vector<bool> some;
  for (const auto length : x.mask().lengths()) some.push_back(length > 0);
  if (std::find(some.begin(), some.end(), false) == some.end()) return {};
  return Mask::keep(some, positions);
}

/// Where a weight is above 0.
Mask above_0(const Tensor& weights) {
  const Tensor above = greater(weights, zeros({}, weights.dtype()));
  return Mask::keep(drop_mask(above, "what has the weight 0 does not count"));
}

/// The mean over all axes but the first.
Tensor sequence_means(const Tensor& x) {
  const auto axes = inner_axes(x);
  if (axes.empty()) return x;
  // Without steps no sequence has a mean: a mask that says so of each leaves a sum, which is 0.
  const bool none = !x.has_mask() && x.shape().count() == 0;
  return mean(none ? with_mask(x, Mask::keep(std::vector<bool>(), x.shape())) : x, axes);
}

/// The same with weights; a sequence whose weights are all 0 has none.
Tensor weighted_means(const Tensor& x, const Tensor& weights) {
  const auto axes = inner_axes(x);
  const Tensor total = axes.empty() ? weights : sum(weights, axes);
  const Mask some = above_0(total);
  const Tensor values = x * weights;
  return with_mask(axes.empty() ? values : sum(values, axes), some) / with_mask(total, some);
}

/// Sums are in f64, so that they hold what many values of f32 come to.
Tensor wide(const Tensor& x) {
  return cast(x, DType::f64);
}

/// The loss, which says its sum also where f64 cannot hold that, but its mean.
template <class F>
Loss with_scaled_sum(Loss loss, F&& sum_of) {
  const NoGrad no_grad;
  if (std::isfinite(loss.terms().front().sum.item())) return loss;
  const double scaled = sum_of(0x1p-100).item();
  if (std::isfinite(scaled)) loss.set_scaled_sum(scaled);
  return loss;
}

double count_of(const Tensor& x) {
  return static_cast<double>(rows::total(x));
}

}  // namespace

Weights::Weights(std::string_view name, const Tensor& x, int axes, Reduction reduction,
                 const Tensor& sample_weight)
    : name_(name), reduction_(reduction), sample_weight_(sample_weight) {
  if (x.is_meta() || !sample_weight.defined()) return;
  const Shape shape = x.shape().sub(0, axes);
  all_ = rows::make_zeros(shape, DType::f64, mask_of(x, shape));
  leave_out_zeros(weights_at(name, all_, sample_weight));
}

void Weights::leave_out_zeros(const Tensor& weights) {
  const NoGrad no_grad;
  each_ = weights;
  const auto values = rows::of<double>(weights);
  const bool zero = std::find(values.begin(), values.end(), 0) != values.end();
  if (!zero && (!weights.has_mask() || weights.mask() == all_.mask())) return;
  if (!some_) all_ = rows::make_zeros(weights.shape(), DType::f64, weights.mask());
  some_ = above_0(weights);
  each_ = with_mask(weights, some_);
}

void Weights::times(const Tensor& of_classes) {
  if (!of_classes.defined() || of_classes.is_meta()) return;
  const bool of_sequences = sample_weight_.defined() && sample_weight_.rank() < 2;
  if (of_sequences && of_classes.rank() > 1 && reduction_ == Reduction::per_sequence) {
    fail<OptionError>(name_,
                      "class weights and one weight a sequence, {}, under per_sequence; use one of "
                      "them, or the reduction mean or sum",
                      sample_weight_.describe());
  }
  const NoGrad no_grad;
  const Tensor kept = rows::make_zeros(of_classes.shape(), DType::f64, of_classes.mask());
  if (!all_.defined()) all_ = kept;
  const Tensor own = weights_at(name_, kept, of_classes);
  leave_out_zeros(each_.defined() ? own * each_ : own);
}

Tensor Weights::with_some(const Tensor& x) const {
  return with_mask(x, some_);
}

/// Positions under the mask that they have where none is left out, 0 where one is.
Tensor Weights::with_zeros(const Tensor& positions) const {
  if (!some_) return positions;
  Tensor zero = cast(all_, positions.dtype());
  if (positions.mask() != some_) {  // of what was kept some has no loss after all
    auto there = positions.mask().to_vector();
    const auto kept = some_.to_vector();
    for (std::size_t i = 0; i < there.size(); ++i) there[i] = there[i] || !kept[i];
    zero = with_mask(zero, Mask::keep(there, positions.mask().shape()));
  }
  return or_else(positions, zero);
}

Loss Weights::per_sequence(const Tensor& positions) const {
  const auto batch = positions.shape()[0];
  const Tensor values = wide(positions), shown = with_zeros(positions);
  if (!sample_weight_.defined() || sample_weight_.rank() > 1) {
    const Tensor means = each_.defined() ? weighted_means(values, each_) : sequence_means(values);
    return with_scaled_sum(Loss(name_, shown, reduction_, batch, count_of(means), sum(means)),
                           [&](double scale) { return sum(means * scale); });
  }
  const Tensor means = sequence_means(values);
  const Tensor of_means = weights_at(name_, means, sample_weight_);
  return with_scaled_sum(
      Loss(name_, shown, reduction_, batch, sum(of_means).item(), sum(means * of_means)),
      [&](double scale) { return sum(means * scale * of_means); });
}

Loss Weights::loss(const Tensor& positions) const {
  Loss loss = made(positions);
  loss.set_fallen_away(fallen_away_);
  return loss;
}

Loss Weights::made(const Tensor& positions) const {
  if (positions.is_meta()) {
    return Loss(name_, positions, reduction_, 0, 0, rows::make_meta({}, DType::f64));
  }
  if (reduction_ == Reduction::per_sequence && positions.rank() > 0) return per_sequence(positions);
  const auto batch = positions.rank() > 0 ? positions.shape()[0] : 1;
  const Tensor values = wide(positions);
  if (!each_.defined()) {
    return with_scaled_sum(
        Loss(name_, positions, reduction_, batch, count_of(positions), sum(values)),
        [&](double scale) { return sum(values * scale); });
  }
  // What has no loss after all has no weight either.
  const Tensor each = positions.has_mask() ? with_mask(each_, positions.mask()) : each_;
  const Tensor shown = with_zeros(positions * cast(each, positions.dtype()));
  return with_scaled_sum(
      Loss(name_, shown, reduction_, batch, sum(each).item(), sum(values * each)),
      [&](double scale) { return sum(values * scale * each); });
}

void Read::times(const Tensor& of_classes) {
  weights.times(of_classes);
  target = weights.kept(target);
  prediction = weights.kept(prediction);
}

Read read(const Of& of, const Pair& pair, int axes, const LossOptions& options) {
  Weights weights(of.name, pair.prediction, axes, options.reduction, options.sample_weight);
  weights.set_fallen_away(checked_fallen_away(of, options.strict_lengths));
  return {weights.kept(pair.target), weights.kept(pair.prediction), std::move(weights)};
}

}  // namespace maskgrad::losses
