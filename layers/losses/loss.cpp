#include <maskgrad/layers/losses/loss.hpp>

#include <fmt/format.h>

#include <array>
#include <limits>
#include <numeric>

#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/cast.hpp>
#include <maskgrad/autograd/ops/mask_ops.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/autograd/ops/reshape.hpp>
#include <maskgrad/autograd/tape.hpp>
#include <maskgrad/layers/losses/pairs.hpp>
#include <maskgrad/layers/option_choice.hpp>

namespace maskgrad {
namespace {

/// Number of valid values.
double count_of(const Tensor& x) {
  return x.is_meta() ? 0 : static_cast<double>(rows::total(x));
}

/// The mean over all axes but the first.
Tensor sequence_means(const Tensor& x) {
  std::vector<int> axes;
  for (int i = 1; i < x.rank(); ++i) axes.push_back(i);
  if (axes.empty()) return x;
  // Without steps no sequence has a mean: a mask that says so of each leaves a sum, which is 0.
  const bool none = !x.has_mask() && x.shape().count() == 0;
  return mean(none ? with_mask(x, Mask::keep(std::vector<bool>(), x.shape())) : x, axes);
}

/// Like sequence_means with weights; a sequence whose weights are all 0 has none.
Tensor weighted_means(const Tensor& x, const Tensor& weights) {
  std::vector<int> axes;
  for (int i = 1; i < x.rank(); ++i) axes.push_back(i);
  const Tensor total = axes.empty() ? weights : sum(weights, axes);
  const Mask some = Mask::keep(drop_mask(greater(total, zeros({}, total.dtype())), "0 is none"));
  const Tensor values = x * weights;
  return with_mask(axes.empty() ? values : sum(values, axes), some) / with_mask(total, some);
}

Loss per_sequence(std::string name, const Tensor& positions, const LossOptions& options,
                  const Tensor& weights) {
  const auto batch = positions.shape()[0];
  const bool of_sequences = options.sample_weight.defined() && options.sample_weight.rank() <= 1;
  if (!of_sequences) {
    const Tensor means =
        weights.defined() ? weighted_means(positions, weights) : sequence_means(positions);
    return Loss(std::move(name), positions, options.reduction, batch, count_of(means), sum(means));
  }
  const Tensor means = sequence_means(positions);
  const Tensor of_means = losses::weights_at(name, means, options.sample_weight);
  const double count = sum(cast(of_means, DType::f64)).item();
  return Loss(std::move(name), positions, options.reduction, batch, count, sum(means * of_means));
}

}  // namespace

std::string_view name(Reduction reduction) {
  switch (reduction) {
    case Reduction::mean:
      return "mean";
    case Reduction::sum:
      return "sum";
    case Reduction::none:
      return "none";
    case Reduction::per_sequence:
      return "per_sequence";
  }
  return "?";
}

void read_option(OptionReader& reader, OptionName option, Reduction& value) {
  constexpr std::array all = {Reduction::mean, Reduction::sum, Reduction::none,
                              Reduction::per_sequence};
  detail::read_choice(reader, option, value, all);
}
void write_option(OptionWriter& writer, OptionName option, const Reduction& value) {
  writer(option, std::string(name(value)));
}

namespace losses {

Tensor weights_at(std::string_view name, const Tensor& positions, const Tensor& weight) {
  const NoGrad no_grad;
  Tensor w = cast(weight.value(), positions.dtype());
  Shape lead = w.shape();
  for (int i = w.rank(); i < positions.rank(); ++i) lead.push_back(1);
  bool fit = lead.rank() == positions.rank();
  for (int i = 0; fit && i < lead.rank(); ++i) {
    fit = lead[i] == positions.shape()[i] || lead[i] == 1;
  }
  if (!fit) {
    fail<ShapeError>(name,
                     "the weights {} do not fit the positions {}; expected the same axes, or the "
                     "first of them ([batch]: one a sequence)",
                     weight.describe(), positions.describe());
  }
  if (lead.rank() > w.rank()) w = reshape(w, lead);
  const Tensor all = zeros(positions.shape(), positions.dtype());
  w = (positions.has_mask() ? with_mask(all, positions.mask()) : all) + w;
  if (rows::total(w) == 0) return w;
  const double least = min(w).item(), greatest = max(w).item();
  if (!(least >= 0) || !(greatest < std::numeric_limits<double>::infinity())) {
    fail<OptionError>(name, "a weight is {}; expected finite numbers of 0 or more",
                      least < 0 ? least : greatest);
  }
  return w;
}

}  // namespace losses

Loss make_loss(std::string name, const Tensor& positions, const LossOptions& options) {
  const auto batch = positions.rank() > 0 ? positions.shape()[0] : 1;
  if (positions.is_meta()) {
    return Loss(std::move(name), positions, options.reduction, 0, 0,
                rows::make_meta({}, positions.dtype()));
  }
  Tensor weights;
  if (options.sample_weight.defined()) {
    weights = losses::weights_at(name, positions, options.sample_weight);
  }
  if (options.reduction == Reduction::per_sequence && positions.rank() > 0) {
    return per_sequence(std::move(name), positions, options, weights);
  }
  const Tensor values = weights.defined() ? positions * weights : positions;
  const double count =
      weights.defined() ? sum(cast(weights, DType::f64)).item() : count_of(positions);
  return Loss(std::move(name), values, options.reduction, batch, count, sum(values));
}

double Loss::Term::factor(double whole_count) const {
  if (reduction == Reduction::sum) return scale;
  return whole_count > 0 ? scale / whole_count : 0;
}

Loss::Loss(std::string name, const Tensor& positions, Reduction reduction, std::int64_t sequences,
           double count, const Tensor& sum)
    : positions_(positions), sequences_(sequences) {
  terms_.push_back({std::move(name), sum, count, 1, reduction});
}

std::int64_t Loss::fallen_away() const {
  return std::accumulate(terms_.begin(), terms_.end(), std::int64_t{0},
                         [](auto sum, const Term& t) { return sum + t.fallen_away; });
}

double Loss::value() const {
  double total = 0;
  for (const auto& t : terms_) {
    if (t.reduction == Reduction::none) {
      fail<GradError>(t.name,
                      "a loss with the reduction none has no one value; use positions(), "
                      "or the reduction mean, sum or per_sequence");
    }
    total += t.sum.item() * t.factor(t.count);
  }
  return total;
}

void Loss::backward() const {
  value();
  std::vector<Tensor> roots, seeds;
  double count = 0;
  for (const auto& t : terms_) {
    count += t.count;
    if (!t.sum.on_tape()) continue;
    roots.push_back(t.sum);
    seeds.push_back(scalar(t.factor(t.count), t.sum.dtype()));
  }
  if (roots.empty()) {
    fail<GradError>(
        "backward",
        "the loss {} is not on the tape: nothing behind it wants a gradient. Make it of "
        "model(x), which records, not of model.predict(x) or of value(); outside NoGrad "
        "and Evaluate; with a parameter that is trainable (set_trainable(model, true)) "
        "or an input x.with_grad()",
        str());
  }
  tape::backward(roots, seeds, {.count = count});
  auto at = noise_position();
  at.sequence += sequences_;
  set_noise_position(at);
}

std::string Loss::str() const {
  std::string text;
  for (const auto& t : terms_) {
    if (!text.empty()) text += " + ";
    if (t.scale != 1) text += fmt::format("{} * ", t.scale);
    text += fmt::format("{} ({} over {} {}", t.name, maskgrad::name(t.reduction), t.count,
                        t.reduction == Reduction::per_sequence ? "sequences" : "positions");
    if (t.fallen_away > 0) {
      text +=
          fmt::format("; {} fell away, valid in the target or the prediction alone", t.fallen_away);
    }
    text += ')';
  }
  return text;
}

Loss operator+(Loss a, const Loss& b) {
  a.terms_.insert(a.terms_.end(), b.terms_.begin(), b.terms_.end());
  return a;
}

Loss operator*(double scale, Loss loss) {
  for (auto& t : loss.terms_) t.scale *= scale;
  return loss;
}

}  // namespace maskgrad
