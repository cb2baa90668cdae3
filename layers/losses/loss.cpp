#include <maskgrad/layers/losses/loss.hpp>

#include <fmt/format.h>

#include <array>
#include <limits>
#include <numeric>

#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/autograd/tape.hpp>
#include <maskgrad/layers/layer/option_choice.hpp>
#include <maskgrad/layers/losses/weights.hpp>

namespace maskgrad {

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

void extend::read_option(OptionReader& reader, OptionName option, Reduction& value) {
  constexpr std::array all = {Reduction::mean, Reduction::sum, Reduction::none,
                              Reduction::per_sequence};
  detail::read_choice(reader, option, value, all);
}
void extend::write_option(OptionWriter& writer, OptionName option, const Reduction& value) {
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
  const losses::Weights weights(name, positions, positions.rank(), options.reduction,
                                options.sample_weight);
  return weights.loss(weights.kept(positions));
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
    const double factor = t.factor(t.count);
    if (factor == 0) continue;  // it is not read: NaN may stand there
    total += t.scaled_sum != 0 ? t.scaled_sum * factor * 0x1p100 : t.sum.item() * factor;
  }
  return total;
}

void Loss::backward(const BackwardOptions& options) const {
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
  detail::NoiseStates models;
  tape::backward(roots, seeds,
                 {.retain = options.retain,
                  .create_graph = options.create_graph,
                  .count = count,
                  .reached = &models});
  detail::next_noise_part(models, sequences_);
}

Tensor Loss::tensor() const {
  value();
  Tensor total;
  for (const auto& t : terms_) {
    const double factor = t.factor(t.count);
    const Tensor part = factor == 0 ? zeros_like(t.sum) : t.sum * factor;
    total = total.defined() ? total + part : part;
  }
  return total;
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
  if (skipped_ > 0) text += fmt::format("; {} sequences skipped as infeasible", skipped_);
  return text;
}

Loss operator+(Loss a, const Loss& b) {
  a.terms_.insert(a.terms_.end(), b.terms_.begin(), b.terms_.end());
  a.skipped_ += b.skipped_;
  return a;
}

Loss operator*(double scale, Loss loss) {
  for (auto& t : loss.terms_) t.scale *= scale;
  return loss;
}

}  // namespace maskgrad
