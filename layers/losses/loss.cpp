#include <maskgrad/layers/losses/loss.hpp>

#include <fmt/format.h>

#include <array>
#include <numeric>

#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/cast.hpp>
#include <maskgrad/autograd/ops/mask_ops.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/autograd/tape.hpp>
#include <maskgrad/core/nearest.hpp>

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
  return axes.empty() ? x : mean(x, axes);
}

/// The weights as one for each valid position.
Tensor weights_at(const std::string& name, const Tensor& positions, const Tensor& weight) {
  const NoGrad no_grad;
  const Tensor all = zeros(positions.shape(), positions.dtype());
  Tensor w = cast(weight.value(), positions.dtype());
  if (positions.has_mask()) return with_mask(all, positions.mask()) + w;
  w = all + w;
  if (w.shape() != positions.shape()) {
    fail<ShapeError>(name, "the weights {} do not broadcast to the positions {}", weight.describe(),
                     positions.describe());
  }
  return w;
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
  std::string text(name(value));
  reader(option, text);
  constexpr std::array all = {Reduction::mean, Reduction::sum, Reduction::none,
                              Reduction::per_sequence};
  std::array<std::string_view, all.size()> names;
  for (std::size_t i = 0; i < all.size(); ++i) {
    names[i] = name(all[i]);
    if (text == names[i]) return void(value = all[i]);
  }
  fail<OptionError>(reader.where(), "there is no reduction '{}'; {}", text,
                    nearest_hint(text, names));
}
void write_option(OptionWriter& writer, OptionName option, const Reduction& value) {
  writer(option, std::string(name(value)));
}

Loss make_loss(std::string name, const Tensor& positions, const LossOptions& options) {
  const auto batch = positions.rank() > 0 ? positions.shape()[0] : 1;
  if (positions.is_meta()) {
    return Loss(std::move(name), positions, options.reduction, 0, 0,
                rows::make_meta({}, positions.dtype()));
  }
  Tensor values = positions;
  double weight_sum = -1;
  if (options.sample_weight.defined()) {
    const Tensor w = weights_at(name, positions, options.sample_weight);
    if (count_of(w) > 0 && min(w).item() < 0) {
      fail<OptionError>(name, "a sample weight is {}; expected 0 or more", min(w).item());
    }
    values = positions * w;
    weight_sum = sum(cast(w, DType::f64)).item();
  }
  if (options.reduction != Reduction::per_sequence) {
    const double count = weight_sum >= 0 ? weight_sum : count_of(values);
    return Loss(std::move(name), values, options.reduction, batch, count, sum(values));
  }
  if (weight_sum >= 0) {
    fail<OptionError>(name, "sample weights with the reduction per_sequence; use mean or sum");
  }
  const Tensor means = sequence_means(values);
  return Loss(std::move(name), values, options.reduction, batch, count_of(means), sum(means));
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
    fail<GradError>("backward",
                    "the loss {} is not on the tape: no parameter or input that wants a "
                    "gradient is behind it, or it was made under NoGrad or Evaluate",
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
    text += fmt::format("{} ({} over {} {})", t.name, maskgrad::name(t.reduction), t.count,
                        t.reduction == Reduction::per_sequence ? "sequences" : "positions");
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
