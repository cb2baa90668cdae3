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
    : TrainingMetric(std::shared_ptr<Metric>(make_metric(kind, options)), "") {}

TrainingMetric::TrainingMetric(std::shared_ptr<Metric> metric, std::string name)
    : name_(name.empty() ? detail::snake_case(metric->kind()) : std::move(name)),
      metric_(std::move(metric)) {}

void TrainingMetric::update(const Batch& batch, const Tensors& outputs) {
  if (loss_) {
    const Loss loss = (*loss_)(batch, outputs);
    return mean_.update(loss.value(), loss.count());
  }
  if (!batch.target.defined()) {
    fail<OptionError>(name_,
                      "the data have no target to count against; give them one, or leave the "
                      "metric out");
  }
  const bool first = metric_->count() == 0;
  metric_->update(batch.target, outputs.at(0).value(), batch.weight);
  if (!first || metric_->count() == 0 || metric_->result().shape().count() == 1) return;
  fail<OptionError>(name_,
                    "it is {}; a training follows metrics of one number. Compute it by hand over "
                    "the batches, under Evaluate",
                    metric_->result().describe());
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

void detail::LossTotal::add(const Loss& loss) {
  if (terms_.empty()) terms_.resize(loss.terms().size());
  if (terms_.size() != loss.terms().size()) {
    if (resumed_) {
      fail<FileError>("LossTotal",
                      "the checkpoint that was resumed counted {} terms of its loss, this loss has "
                      "{}; it is damaged, or of another loss: give another folder",
                      terms_.size(), loss.terms().size());
    }
    fail<GradError>("LossTotal",
                    "a loss has {} terms, the ones before had {}; expected the same loss for each "
                    "batch",
                    loss.terms().size(), terms_.size());
  }
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    const auto& t = loss.terms()[i];
    terms_[i].sum += t.sum.item();
    terms_[i].count += t.count;
    terms_[i].scale = t.scale;
    terms_[i].per_batch = t.reduction == Reduction::sum ? 1 : 0;
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
