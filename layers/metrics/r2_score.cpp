#include <maskgrad/layers/metrics/r2_score.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include <maskgrad/core/nearest.hpp>
#include <maskgrad/layers/check.hpp>
#include <maskgrad/layers/metrics/values.hpp>

namespace maskgrad {
namespace {

// The sums: how many positions, then of each feature the target's mean, its squares around that
// mean, and the squared errors.
std::size_t at(std::size_t feature) {
  return 1 + 3 * feature;
}

double score(double squares, double errors) {
  if (std::isnan(squares) || std::isnan(errors)) return std::nan("");
  if (squares > 0) return 1 - errors / squares;
  return errors > 0 ? 0 : 1;
}

}  // namespace

R2Score::R2Score(R2ScoreOptions options) : Metric("R2Score"), options_(std::move(options)) {
  check::at_least(kind(), "num_regressors", options_.num_regressors, 0);
  constexpr std::array<std::string_view, 2> known = {"uniform_average",
                                                     "variance_weighted_average"};
  const auto& how = options_.class_aggregation;
  if (!how || std::find(known.begin(), known.end(), *how) != known.end()) return;
  fail<OptionError>(kind(), "the option .class_aggregation is '{}'; {}", *how,
                    nearest_hint(*how, known));
}

void R2Score::write_options(OptionWriter& writer) const {
  R2ScoreOptions::each_option(options_, writer);
}

MetricSums::Sums R2Score::measure(const Tensor& y_true, const Tensor& y_pred,
                                  const Tensor& sample_weight) const {
  const metrics::Weighted in = metrics::weighted_rows(kind(), y_true, y_pred, sample_weight);
  const auto features = static_cast<std::size_t>(in.prediction.shape().back());
  Sums all{std::vector<double>(at(features))};
  all.values[0] = static_cast<double>(rows::total(in.weight));
  const auto weights = rows::of<double>(in.weight);
  for (const double weight : weights) all.count += weight;
  if (all.count <= 0) return all;
  dispatch_real(kind(), in.prediction.dtype(), [&]<class T>() {
    const auto targets = rows::of<T>(in.target), predictions = rows::of<T>(in.prediction);
    for (std::size_t f = 0; f < features; ++f) {
      double *mean = &all.values[at(f)], &squares = mean[1], &errors = mean[2];
      for (std::size_t i = 0; i < weights.size(); ++i) {
        *mean += weights[i] * targets[i * features + f] / all.count;
      }
      for (std::size_t i = 0; i < weights.size(); ++i) {
        const double y = targets[i * features + f], e = predictions[i * features + f] - y;
        squares += weights[i] * (y - *mean) * (y - *mean);
        errors += weights[i] * e * e;
      }
    }
  });
  return all;
}

MetricSums::Sums R2Score::joined(const Sums& a, const Sums& b) const {
  Sums both = MetricSums::joined(a, b);
  for (std::size_t f = 0; at(f) < both.values.size(); ++f) {
    double* of = &both.values[at(f)];
    const double one = a.values[at(f)], apart = b.values[at(f)] - one;
    const double share = both.count > 0 ? b.count / both.count : 0;
    of[0] = one + apart * share;
    of[1] += apart * apart * a.count * share;
  }
  return both;
}

Tensor R2Score::result() const {
  const auto& all = sums().values;
  std::vector<double> scores;
  double sum = 0, weighted = 0, squares = 0;
  for (std::size_t f = 0; at(f) < all.size(); ++f) {
    const double* of = &all[at(f)];
    scores.push_back(score(of[1], of[2]));
    sum += scores.back();
    weighted += scores.back() * of[1];
    squares += of[1];
  }
  const auto& how = options_.class_aggregation;
  const auto features = static_cast<std::int64_t>(scores.size());
  if (how) {
    const bool even = *how == "uniform_average" || !(squares > 0);
    const double over = even ? static_cast<double>(features) : squares;
    scores = {over > 0 ? (even ? sum : weighted) / over : 0};
  }
  const double n = all.empty() ? 0 : all[0], p = static_cast<double>(options_.num_regressors);
  for (double& s : scores) {
    if (p > 0 && n - p - 1 > 0) s = 1 - (1 - s) * (n - 1) / (n - p - 1);
  }
  return result_of(scores, how ? Shape{} : Shape{features});
}

}  // namespace maskgrad
