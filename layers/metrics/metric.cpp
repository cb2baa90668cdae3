#include <maskgrad/layers/metrics/metric.hpp>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/layers/losses/pairs.hpp>
#include <maskgrad/layers/metrics/wide_number.hpp>

namespace maskgrad {
namespace {

std::string options_of(const extend::MetricSums& metric) {
  extend::OptionWriter writer;
  metric.write_options(writer);
  return writer.json();
}

}  // namespace

namespace extend {

double MetricSums::mean() const {
  if (!(sums_.count > 0)) return 0;
  return metrics::WideNumber{sums_.values[0], sums_.exponent}.over(sums_.count);
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
  if (sums_.exponent != 0) all.push_back(sums_.exponent);
  return all;
}

void MetricSums::set_counted(const std::vector<double>& counted) {
  Sums sums;
  if (!counted.empty()) sums = {{counted.begin() + 1, counted.end()}, counted[0]};
  if (sums.values.size() == 2 && keeps({0}) &&
      std::abs(sums.values[1]) == metrics::WideNumber::step) {
    sums.exponent = sums.values[1];
    sums.values.pop_back();
  }
  const auto have = sums.values.size();
  if (!(sums.count >= 0) || (have == 0 ? sums.count > 0 : !keeps(sums.values))) {
    fail<OptionError>(kind_, "a count of {} over {} sums; expected what counted() gave", sums.count,
                      have);
  }
  sums_ = std::move(sums);
}

void MetricSums::add(Sums& all, const Sums& more) const {
  all.count += more.count;
  if (all.values.size() == 1 && more.values.size() == 1) {
    const auto sum = metrics::WideNumber{all.values[0], all.exponent} +
                     metrics::WideNumber{more.values[0], more.exponent};
    all.values[0] = sum.value;
    all.exponent = sum.exponent;
    return;
  }
  for (std::size_t i = 0; i < more.values.size(); ++i) all.values[i] += more.values[i];
}

void MetricSums::join(const Sums& more) {
  if (more.values.empty()) return;
  if (!grows() && !sums_.values.empty() && sums_.values.size() != more.values.size()) {
    fail<ShapeError>(kind_,
                     "{} sums are kept and {} come: the data had another number of classes or "
                     "features before. Use a metric for each",
                     sums_.values.size(), more.values.size());
  }
  if (sums_.values.empty()) {
    sums_ = more;
  } else {
    add(sums_, more);
  }
}

MetricSums::Sums MetricSums::over(const Tensor& positions, const Tensor& sample_weight) const {
  const Tensor x = cast(positions, DType::f64);
  Tensor weights;
  if (sample_weight.defined()) weights = losses::weights_at(kind_, x, sample_weight);
  const auto total = [&](const Tensor& values) {
    return sum(weights.defined() ? losses::weighed(weights, values) : values).item();
  };
  const double count =
      weights.defined() ? sum(weights).item() : static_cast<double>(rows::total(x));
  const double plain = total(x);
  if (std::isfinite(plain)) return {{plain}, count};
  const double scaled = total(x * 0x1p-600 * 0x1p-600);
  if (!std::isfinite(scaled)) return {{plain}, count};
  return {{scaled}, count, metrics::WideNumber::step};
}

}  // namespace extend

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
