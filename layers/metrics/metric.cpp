#include <maskgrad/layers/metrics/metric.hpp>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/cast.hpp>
#include <maskgrad/autograd/ops/mask_ops.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/layers/losses/pairs.hpp>

namespace maskgrad {
namespace {

std::string options_of(const MetricSums& metric) {
  OptionWriter writer;
  metric.write_options(writer);
  return writer.json();
}

}  // namespace

double MetricSums::mean() const {
  return sums_.count > 0 ? sums_.values[0] / sums_.count : 0;
}

Tensor MetricSums::result() const {
  return result_of({mean()}, {});
}

Tensor MetricSums::result_of(const std::vector<double>& values, const Shape& shape) const {
  const Tensor all = tensor(values, shape);
  if (sums_.count > 0) return all;
  return with_mask(all, Mask::keep(std::vector<bool>(values.size()), shape));
}

double MetricSums::value() const {
  const Tensor all = result();
  if (all.shape().count() != 1) {
    fail<ShapeError>(kind_, "its result is {}; expected one number. Use result()", all.describe());
  }
  if (rows::total(all) == 1) return rows::of<double>(all)[0];
  fail<StateError>(kind_,
                   "nothing was counted, so it has no value; expected an update with a valid "
                   "position of a weight above 0. count() tells, and result() is masked");
}

void MetricSums::merge(const MetricSums& other) {
  const auto own = options_of(*this), others = options_of(other);
  if (kind_ != other.kind_ || own != others) {
    fail<OptionError>(kind_, "merge with {} {}; expected another {} with its options, {}",
                      other.kind_, others, kind_, own);
  }
  join(other.sums_);
}

std::vector<double> MetricSums::counted() const {
  std::vector<double> all{sums_.count};
  all.insert(all.end(), sums_.values.begin(), sums_.values.end());
  return all;
}

void MetricSums::set_counted(const std::vector<double>& counted) {
  sums_ = {};
  if (counted.empty()) return;
  sums_ = {{counted.begin() + 1, counted.end()}, counted[0]};
}

MetricSums::Sums MetricSums::joined(const Sums& a, const Sums& b) const {
  Sums both = a;
  for (std::size_t i = 0; i < b.values.size(); ++i) both.values[i] += b.values[i];
  both.count += b.count;
  return both;
}

void MetricSums::join(const Sums& more) {
  if (more.values.empty()) return;
  if (!sums_.values.empty() && sums_.values.size() != more.values.size()) {
    fail<ShapeError>(kind_,
                     "{} sums are kept and {} come: the data had another number of classes or "
                     "features before. Use a metric for each",
                     sums_.values.size(), more.values.size());
  }
  sums_ = sums_.values.empty() ? more : joined(sums_, more);
}

MetricSums::Sums MetricSums::over(const Tensor& positions, const Tensor& sample_weight) const {
  const Tensor x = cast(positions, DType::f64);
  if (!sample_weight.defined()) return {{sum(x).item()}, static_cast<double>(rows::total(x))};
  const Tensor weights = losses::weights_at(kind_, x, sample_weight);
  return {{sum(x * weights).item()}, sum(weights).item()};
}

void Metric::update(const Tensor& y_true, const Tensor& y_pred, const Tensor& sample_weight) {
  const NoGrad no_grad;
  for (const auto& x : {y_true, y_pred}) {
    if (!x.is_meta()) continue;
    fail<StateError>(kind(), "got {}, which has no data; expected values to count", x.describe());
  }
  const Mask& weighted = sample_weight.defined() ? sample_weight.mask() : Mask();
  const bool fits = weighted && weighted.rank() <= y_pred.rank() &&
                    weighted.shape() == y_pred.shape().sub(0, weighted.rank());
  const Tensor p = fits ? with_mask(y_pred.value(), weighted) : y_pred.value();
  join(measure(y_true.value(), p, sample_weight));
}

}  // namespace maskgrad
