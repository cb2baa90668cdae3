#include <maskgrad/layers/metrics/metric.hpp>

#include <algorithm>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/cast.hpp>
#include <maskgrad/autograd/ops/mask_ops.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/autograd/ops/unary.hpp>
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

bool MetricSums::any_nan(std::size_t from, std::size_t n) const {
  const auto first = sums_.values.begin() + static_cast<std::ptrdiff_t>(from);
  return std::any_of(first, first + static_cast<std::ptrdiff_t>(n),
                     [](double v) { return v != v; });
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
  Sums sums;
  if (!counted.empty()) sums = {{counted.begin() + 1, counted.end()}, counted[0]};
  const auto have = sums.values.size();
  if (!(sums.count >= 0) || (have == 0 ? sums.count > 0 : !keeps(have))) {
    fail<OptionError>(kind_, "a count of {} over {} sums; expected what counted() gave", sums.count,
                      have);
  }
  sums_ = std::move(sums);
}

MetricSums::Sums MetricSums::joined(const Sums& a, const Sums& b) const {
  Sums both = a;
  for (std::size_t i = 0; i < b.values.size(); ++i) both.values[i] += b.values[i];
  both.count += b.count;
  return both;
}

void MetricSums::join(const Sums& more) {
  if (more.values.empty()) return;
  if (!grows() && !sums_.values.empty() && sums_.values.size() != more.values.size()) {
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
  return {{sum(losses::weighed(weights, x)).item()}, sum(weights).item()};
}

namespace {

/// y_pred without the positions whose weight is 0 or masked, so that nothing there is read. Weights
/// of single features stay as they are.
Tensor weighed(const Tensor& y_pred, const Tensor& sample_weight) {
  if (!sample_weight.defined()) return y_pred;
  const Tensor w = sample_weight.value();
  const auto rank = w.rank();
  const bool rows = rank < y_pred.rank() || !is_real(y_pred.dtype()) ||
                    (y_pred.has_mask() && y_pred.mask().rank() == rank);
  if (!rows || rank > y_pred.rank()) return y_pred;
  const Shape positions = y_pred.shape().sub(0, rank);
  for (int i = 0; i < rank; ++i) {
    if (w.shape()[i] != positions[i] && w.shape()[i] != 1) return y_pred;  // refused later
  }
  const Tensor counts = not_equal(w, zeros({}, w.dtype())), all = zeros(positions, w.dtype());
  if (!w.has_mask() && rows::total(w) > 0 &&
      cast(min(cast(counts, DType::i64)), DType::f64).item() > 0)
    return y_pred;
  const Tensor each = logical_and(counts, equal(all, all));
  return with_mask(y_pred, Mask::keep(drop_mask(each, "what has the weight 0 does not count")));
}

}  // namespace

void Metric::update(const Tensor& y_true, const Tensor& y_pred, const Tensor& sample_weight) {
  const NoGrad no_grad;
  for (const auto& x : {y_true, y_pred}) {
    if (!x.is_meta()) continue;
    fail<StateError>(kind(), "got {}, which has no data; expected values to count", x.describe());
  }
  join(measure(y_true.value(), weighed(y_pred.value(), sample_weight), sample_weight));
}

}  // namespace maskgrad
