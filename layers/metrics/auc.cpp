#include <maskgrad/layers/metrics/auc.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include <maskgrad/autograd/ops/activations.hpp>
#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/nearest.hpp>
#include <maskgrad/layers/check.hpp>
#include <maskgrad/layers/metrics/values.hpp>

namespace maskgrad {
namespace {

constexpr double outside = 1e-7;  // Keras's: the first threshold is below 0, the last above 1

void check_one_of(std::string_view option, const std::string& value,
                  std::span<const std::string_view> known) {
  if (std::find(known.begin(), known.end(), value) != known.end()) return;
  fail<OptionError>("AUC", "the option .{} is '{}'; {}", option, value, nearest_hint(value, known));
}

std::vector<double> thresholds_of(const AUCOptions& options) {
  std::vector<double> all = options.thresholds.values;
  if (all.empty()) {
    const auto last = static_cast<double>(options.num_thresholds - 1);
    for (std::int64_t i = 1; i + 1 < options.num_thresholds; ++i) {
      all.push_back(static_cast<double>(i) / last);
    }
  }
  std::sort(all.begin(), all.end());
  all.insert(all.begin(), -outside);
  all.push_back(1 + outside);
  return all;
}

double quotient(double a, double b) {
  return b > 0 ? a / b : 0;
}

/// What is predicted to be 1 at a threshold.
struct Point {
  double tp = 0, fp = 0;
  double all() const { return tp + fp; }
};

/// The part of the area between two thresholds (a the lower) in which precision goes with the
/// counts; times all that is 1.
double interpolated(const Point& a, const Point& b) {
  const double gained = a.tp - b.tp, slope = quotient(gained, a.all() - b.all());
  const double ratio = a.all() > 0 && b.all() > 0 ? a.all() / b.all() : 1;
  return slope * (gained + (b.tp - slope * b.all()) * std::log(ratio));
}

void check_probability(const Tensor& y_pred, double p) {
  if (p >= 0 && p <= 1) return;
  fail<OptionError>("AUC",
                    "a value of y_pred {} is {}; expected probabilities from 0 to 1. Set the "
                    "option .from_logits for logits",
                    y_pred.describe(), p);
}

}  // namespace

AUC::AUC(AUCOptions options) : Metric("AUC"), options_(std::move(options)) {
  check::at_least(kind(), "num_thresholds", options_.num_thresholds, 2);
  checked::check_room(kind(), options_.num_thresholds, 64);  // thresholds, and sums for each
  if (options_.num_labels) check::at_least(kind(), "num_labels", *options_.num_labels, 1);
  check_one_of("curve", options_.curve, std::array<std::string_view, 2>{"ROC", "PR"});
  check_one_of("summation_method", options_.summation_method,
               std::array<std::string_view, 3>{"interpolation", "minoring", "majoring"});
  check::numbers(kind(), "label_weights", options_.label_weights);
  for (const double t : options_.thresholds.values) {
    if (t >= 0 && t <= 1) continue;
    fail<OptionError>(kind(), "a threshold is {}; expected numbers from 0 to 1", t);
  }
  if (!options_.label_weights.values.empty() && !options_.multi_label) {
    fail<OptionError>(kind(), "the option .label_weights without .multi_label; set both");
  }
  thresholds_ = thresholds_of(options_);
}

void AUC::write_options(OptionWriter& writer) const {
  AUCOptions::each_option(options_, writer);
}

MetricSums::Sums AUC::measure(const Tensor& y_true, const Tensor& y_pred,
                              const Tensor& sample_weight) const {
  const auto pair = options_.multi_label ? losses::whole_rows(kind(), y_true, y_pred)
                                         : losses::alike(kind(), y_true, y_pred);
  const metrics::Weighted in = metrics::weighted(kind(), pair, y_pred.rank(), sample_weight);
  metrics::check_labels(kind(), in.target);
  const Tensor p = options_.from_logits ? sigmoid(in.prediction) : in.prediction;
  const auto labels = options_.multi_label ? static_cast<std::size_t>(y_pred.shape().back()) : 1;
  const auto& own = options_.label_weights.values;
  if ((options_.num_labels && static_cast<std::size_t>(*options_.num_labels) != labels) ||
      (!own.empty() && own.size() != labels)) {
    fail<ShapeError>(kind(), "y_pred {} has {} labels; expected as many as the options say",
                     y_pred.describe(), labels);
  }
  Sums all{std::vector<double>(labels * 2 * buckets())};
  const auto weights = rows::of<double>(in.weight);
  dispatch_real(kind(), p.dtype(), [&]<class T>() {
    const std::vector<T> thresholds(thresholds_.begin(), thresholds_.end());
    const auto truths = rows::of<T>(in.target), scores = rows::of<T>(p);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      check_probability(y_pred, scores[i]);
      // The bucket is how many thresholds are below the score.
      const auto above = std::lower_bound(thresholds.begin(), thresholds.end(), scores[i]);
      const auto bucket = static_cast<std::size_t>(above - thresholds.begin());
      const std::size_t truth = truths[i] != 0;
      all.values[(2 * (i % labels) + truth) * buckets() + bucket] += weights[i];
      all.count += weights[i];
    }
  });
  return all;
}

double AUC::area(std::size_t label) const {
  const double* negative = &sums().values[2 * label * buckets()];
  const double* positive = negative + buckets();
  std::vector<Point> points(buckets());  // the last one: nothing is predicted to be 1
  for (std::size_t i = thresholds_.size(); i-- > 0;) {
    points[i] = {points[i + 1].tp + positive[i + 1], points[i + 1].fp + negative[i + 1]};
  }
  points.pop_back();
  const bool roc = options_.curve == "ROC";
  const auto& method = options_.summation_method;
  const auto x = [&](const Point& at) {
    return roc ? quotient(at.fp, points[0].fp) : quotient(at.tp, points[0].tp);
  };
  const auto y = [&](const Point& at) {
    return roc ? quotient(at.tp, points[0].tp) : quotient(at.tp, at.all());
  };
  double area = 0;
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    const Point &a = points[i], &b = points[i + 1];
    if (!roc && method == "interpolation") {
      area += quotient(interpolated(a, b), points[0].tp);
      continue;
    }
    const double height = method == "minoring"   ? std::min(y(a), y(b))
                          : method == "majoring" ? std::max(y(a), y(b))
                                                 : (y(a) + y(b)) / 2;
    area += (x(a) - x(b)) * height;
  }
  return area;
}

Tensor AUC::result() const {
  const auto labels = sums().values.size() / (2 * buckets());
  const auto& own = options_.label_weights.values;
  double sum = 0, over = 0;
  for (std::size_t k = 0; k < labels; ++k) {
    const double weight = own.empty() ? 1 : own[k];
    sum += weight * area(k);
    over += weight;
  }
  return result_of({quotient(sum, over)}, {});
}

}  // namespace maskgrad
