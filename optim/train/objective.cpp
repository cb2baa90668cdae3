#include <maskgrad/optim/train/objective.hpp>

#include <fmt/format.h>

#include <limits>

#include <maskgrad/layers/layer/description.hpp>
#include <maskgrad/layers/losses/loss_factory.hpp>
#include <maskgrad/layers/metrics/metric_factory.hpp>

namespace maskgrad {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TrainingLoss::TrainingLoss(const std::string& name, std::string_view options)
    : name_(options == "{}" ? name : fmt::format("{} {}", name, options)),
      by_name_(true),
      call_(of_first_output(make_loss_function(name, options))) {}

void TrainingLoss::refuse_empty() {
  fail<OptionError>("TrainingLoss",
                    "it was given a function that is empty; expected one that "
                    "gives a Loss, or the name of a loss");
}

TrainingLoss::Call TrainingLoss::of_first_output(LossFunction f) {
  return [f = std::move(f)](const Batch& batch, const Tensors& outputs) {
    if (!batch.target.defined()) {
      fail<OptionError>("TrainingLoss",
                        "the data have no target; give them one, or a loss that is a function of "
                        "(const Batch&, const Tensors& outputs)");
    }
    return f(batch.target, outputs.at(0), batch.weight);
  };
}

TrainingMetric::TrainingMetric(const std::string& kind, std::string_view options)
    : TrainingMetric(make_metric(kind, options), make_metric(kind, options), "") {}

TrainingMetric::TrainingMetric(std::shared_ptr<Metric> metric, std::shared_ptr<Metric> other,
                               std::string name)
    : name_(name.empty() ? detail::snake_case(metric->kind()) : std::move(name)),
      metric_(std::move(metric)),
      other_(std::move(other)) {}

void TrainingMetric::update(const Batch& batch, const Tensors& outputs) {
  if (loss_) {
    const Loss loss = (*loss_)(batch, outputs);
    return mean_.update(loss.value(), loss.count());
  }
  update(*metric_, batch, outputs);
}

void TrainingMetric::update(Metric& metric, const Batch& batch, const Tensors& outputs) const {
  if (!batch.target.defined()) {
    fail<OptionError>(name_,
                      "the data have no target to count against; give them one, or leave the "
                      "metric out");
  }
  const bool first = metric.count() == 0;
  metric.update(batch.target, outputs.at(0).value(), batch.weight);
  if (!first || metric.count() == 0 || metric.result().shape().count() == 1) return;
  fail<OptionError>(name_,
                    "it is {}; a training follows metrics of one number. Compute it by hand over "
                    "the batches, under Evaluate",
                    metric.result().describe());
}

std::vector<double> TrainingMetric::measure(const Batch& batch, const Tensors& outputs) {
  if (loss_) {
    const Loss loss = (*loss_)(batch, outputs);
    Mean one;
    one.update(loss.value(), loss.count());
    return one.counted();
  }
  other_->reset();
  update(*other_, batch, outputs);
  return other_->counted();
}

void TrainingMetric::merge(const std::vector<double>& counted) {
  if (!metric_) {
    Mean one;
    one.set_counted(counted);
    return mean_.merge(one);
  }
  other_->set_counted(counted);
  metric_->merge(*other_);
}

double TrainingMetric::value() const {
  const extend::MetricSums& sums =
      metric_ ? static_cast<const extend::MetricSums&>(*metric_) : mean_;
  return sums.count() > 0 ? sums.value() : none;
}

void TrainingMetric::reset() {
  mean_.reset();
  if (metric_) metric_->reset();
}

std::vector<double> TrainingMetric::counted() const {
  return metric_ ? metric_->counted() : mean_.counted();
}
void TrainingMetric::set_counted(const std::vector<double>& counted) {
  if (metric_) return metric_->set_counted(counted);
  mean_.set_counted(counted);
}

std::vector<double> detail::LossTotal::measure(const Loss& loss) {
  std::vector<double> all;
  for (const auto& t : loss.terms()) {
    all.insert(all.end(),
               {t.sum.item(), t.count, t.scale, t.reduction == Reduction::sum ? 1.0 : 0.0});
  }
  return all;
}

void detail::LossTotal::add(const Loss& loss) {
  add(measure(loss));
}

void detail::LossTotal::add(std::span<const double> measured) {
  const auto count = measured.size() / 4;
  if (terms_.empty()) terms_.resize(count);
  if (terms_.size() != count) {
    if (resumed_) {
      fail<FileError>("LossTotal",
                      "the checkpoint that was resumed counted {} terms of its loss, this loss has "
                      "{}; it is damaged, or of another loss: give another folder",
                      terms_.size(), count);
    }
    fail<GradError>("LossTotal",
                    "a loss has {} terms, the ones before had {}; expected the same loss for each "
                    "batch",
                    count, terms_.size());
  }
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    terms_[i].sum += measured[4 * i];
    terms_[i].count += measured[4 * i + 1];
    terms_[i].scale = measured[4 * i + 2];
    terms_[i].per_batch = measured[4 * i + 3];
  }
}

double detail::LossTotal::value() const {
  double total = 0, count = 0;
  for (const auto& t : terms_) {
    const double over = t.per_batch > 0 ? batches_ - before_ : t.count;
    if (over > 0) total += t.scale * t.sum / over;
    count += t.count;
  }
  return count > 0 ? total : none;
}

std::vector<double> detail::LossTotal::counted() const {
  std::vector<double> all{batches_};
  for (const auto& t : terms_) all.insert(all.end(), {t.sum, t.count, t.scale, t.per_batch});
  return all;
}

void detail::LossTotal::set_counted(const std::vector<double>& counted) {
  *this = {};
  if (counted.empty()) return;
  resumed_ = true;
  batches_ = counted[0];
  if (counted.size() == 1) before_ = batches_;
  for (std::size_t i = 1; i + 3 < counted.size(); i += 4) {
    terms_.push_back({counted[i], counted[i + 1], counted[i + 2], counted[i + 3]});
  }
}

}  // namespace maskgrad
