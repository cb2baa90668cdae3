#include <maskgrad/layers/metrics/r2_score.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include <maskgrad/core/nearest.hpp>
#include <maskgrad/layers/layer/check.hpp>
#include <maskgrad/layers/metrics/values.hpp>
#include <maskgrad/layers/metrics/wide_number.hpp>

namespace maskgrad {
namespace {

using metrics::WideNumber;

// The sums: how many positions, then of each feature the target's mean, its squares around that
// mean, and the squared errors, each with its exponent.
constexpr std::size_t kept = 5;
std::size_t at(std::size_t feature) {
  return 1 + kept * feature;
}

struct Squares {
  WideNumber target, errors;
};
Squares read(const double* feature) {
  return {{feature[1], feature[2]}, {feature[3], feature[4]}};
}
void write(const Squares& s, double* feature) {
  const std::array all = {s.target.value, s.target.exponent, s.errors.value, s.errors.exponent};
  std::copy(all.begin(), all.end(), feature + 1);
}

double score(const Squares& s) {
  if (std::isnan(s.target.value) || std::isnan(s.errors.value)) return std::nan("");
  if (s.target.value > 0) return 1 - quotient(s.errors, s.target);
  return s.errors.value > 0 ? 0 : 1;
}

/// The targets' mean; what is divided first loses digits, and is for what else overflows.
template <class T>
double mean_of(const T* targets, std::size_t features, std::span<const double> weights,
               double count) {
  double mean = 0, divided = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    mean += weights[i] * targets[i * features] / count;
    divided += weights[i] / count * targets[i * features];
  }
  return std::isfinite(mean) ? mean : divided;
}

template <class T>
Squares squares_of(const T* targets, const T* predictions, std::size_t features,
                   std::span<const double> weights, double mean) {
  Squares s;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double y = targets[i * features], p = predictions[i * features];
    s.target = s.target + metrics::squared_difference(y, mean, weights[i]);
    s.errors = s.errors + metrics::squared_difference(p, y, weights[i]);
  }
  return s;
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

void R2Score::write_options(extend::OptionWriter& writer) const {
  R2ScoreOptions::each_option(options_, writer);
}

Metric::Sums R2Score::measure(const Tensor& y_true, const Tensor& y_pred,
                              const Tensor& sample_weight) const {
  const metrics::Weighted in = metrics::weighted_rows(kind(), y_true, y_pred, sample_weight);
  const auto features = static_cast<std::size_t>(in.prediction.shape().back());
  Sums all{std::vector<double>(at(features))};
  all.values[0] = static_cast<double>(rows::total(in.weight));
  const auto weights = rows::of<double>(in.weight);
  for (const double weight : weights) all.count += weight;
  if (all.count <= 0) return all;
  extend::dispatch_real(kind(), in.prediction.dtype(), [&]<class T>() {
    const auto targets = rows::of<T>(in.target), predictions = rows::of<T>(in.prediction);
    for (std::size_t f = 0; f < features; ++f) {
      double* of = &all.values[at(f)];
      of[0] = mean_of(targets.data() + f, features, weights, all.count);
      write(squares_of(targets.data() + f, predictions.data() + f, features, weights, of[0]), of);
    }
  });
  return all;
}

bool R2Score::keeps(const std::vector<double>& sums) const {
  if (sums.size() < 2 || sums.size() % kept != 1) return false;
  const auto exponent = [](double e) { return e == 0 || std::abs(e) == WideNumber::step; };
  for (std::size_t f = 0; at(f) < sums.size(); ++f) {
    if (!exponent(sums[at(f) + 2]) || !exponent(sums[at(f) + 4])) return false;
  }
  return true;
}

void R2Score::add(Sums& all, const Sums& more) const {
  const double before = all.count;
  all.values[0] += more.values[0];
  all.count += more.count;
  const double share = all.count > 0 ? more.count / all.count : 0;
  for (std::size_t f = 0; at(f) < all.values.size(); ++f) {
    double* of = &all.values[at(f)];
    const double one = of[0], other = more.values[at(f)], apart = other - one;
    const bool near = std::isfinite(apart) || !std::isfinite(one) || !std::isfinite(other);
    of[0] = near ? one + apart * share : one * (1 - share) + other * share;
    const Squares own = read(of), others = read(&more.values[at(f)]);
    const auto between = metrics::squared_difference(other, one, before * share);
    write({own.target + others.target + between, own.errors + others.errors}, of);
  }
}

Tensor R2Score::result() const {
  const auto& all = sums().values;
  std::vector<double> scores;
  double sum = 0;
  WideNumber squares;
  for (std::size_t f = 0; at(f) < all.size(); ++f) {
    const Squares own = read(&all[at(f)]);
    scores.push_back(score(own));
    sum += scores.back();
    squares = squares + own.target;
  }
  const auto& how = options_.class_aggregation;
  const auto features = static_cast<std::int64_t>(scores.size());
  if (how) {
    const bool even = *how == "uniform_average" || !(squares.value > 0);
    double weighted = 0;
    for (std::size_t f = 0; !even && f < scores.size(); ++f) {
      weighted += scores[f] * quotient(read(&all[at(f)]).target, squares);
    }
    scores = {!even ? weighted : features > 0 ? sum / static_cast<double>(features) : 0};
  }
  const double n = all.empty() ? 0 : all[0], p = static_cast<double>(options_.num_regressors);
  for (double& s : scores) {
    if (p > 0 && n - p - 1 > 0) s = 1 - (1 - s) * (n - 1) / (n - p - 1);
  }
  return result_of(scores, how ? Shape{} : Shape{features});
}

}  // namespace maskgrad
