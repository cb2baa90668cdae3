#include <maskgrad/layers/metrics/auc.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/nearest.hpp>
#include <maskgrad/layers/layer/check.hpp>
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

void check_probability(const Tensor& y_pred, double p) {
  if (p >= 0 && p <= 1) return;
  fail<OptionError>("AUC",
                    "a value of y_pred {} is {}; expected probabilities from 0 to 1. Set the "
                    "option .from_logits for logits",
                    y_pred.describe(), p);
}

}  // namespace

struct AUC::Point {
  double tp = 0, fp = 0;
  double all() const { return tp + fp; }

  /// The part of the area from here (the lower threshold) to b in which precision goes with the
  /// counts; times all that is 1.
  double interpolated(const Point& b) const {
    const double gained = tp - b.tp, slope = quotient(gained, all() - b.all());
    const double ratio = all() > 0 && b.all() > 0 ? all() / b.all() : 1;
    return slope * (gained + (b.tp - slope * b.all()) * std::log(ratio));
  }
};

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

void AUC::write_options(extend::OptionWriter& writer) const {
  AUCOptions::each_option(options_, writer);
}

Metric::Sums AUC::measure(const Tensor& y_true, const Tensor& y_pred,
                          const Tensor& sample_weight) const {
  const Tensor given = metrics::labels_for(kind(), y_true, y_pred);
  const auto pair = options_.multi_label ? losses::whole_rows(kind(), given, y_pred)
                                         : losses::alike(kind(), given, y_pred);
  const metrics::Weighted in = metrics::weighted(kind(), pair, y_pred.rank(), sample_weight);
  metrics::check_labels(kind(), in.target, in.weight);
  // Exact areas are those of the scores' order, which a sigmoid keeps.
  const bool logits = options_.from_logits && !options_.exact;
  const Tensor p = logits ? sigmoid(in.prediction) : in.prediction;
  const auto labels = options_.multi_label ? static_cast<std::size_t>(y_pred.shape().back()) : 1;
  check_labels(y_pred, labels);
  Sums all{std::vector<double>(options_.exact ? 0 : labels * 2 * buckets())};
  if (options_.exact) all.values = {static_cast<double>(labels), 0};
  const auto weights = rows::of<double>(in.weight);
  extend::dispatch_real(kind(), p.dtype(), [&]<class T>() {
    const std::vector<T> thresholds(thresholds_.begin(), thresholds_.end());
    const auto truths = rows::of<T>(in.target), scores = rows::of<T>(p);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (weights[i] == 0) continue;
      all.count += weights[i];
      const std::size_t at = 2 * (i % labels) + (truths[i] != 0);
      if (options_.exact) {
        const double score = static_cast<double>(scores[i]);
        all.values.insert(all.values.end(), {static_cast<double>(at), score, weights[i]});
        continue;
      }
      if (scores[i] != scores[i]) {
        all.values[at * buckets()] = scores[i];
        continue;
      }
      check_probability(y_pred, scores[i]);
      // The bucket is how many thresholds are below the score.
      const auto above = std::lower_bound(thresholds.begin(), thresholds.end(), scores[i]);
      all.values[at * buckets() + static_cast<std::size_t>(above - thresholds.begin())] +=
          weights[i];
    }
  });
  return all;
}

void AUC::check_labels(const Tensor& y_pred, std::size_t labels) const {
  const auto& own = options_.label_weights.values;
  if ((options_.num_labels && static_cast<std::size_t>(*options_.num_labels) != labels) ||
      (!own.empty() && own.size() != labels)) {
    fail<ShapeError>(kind(), "y_pred {} has {} labels; expected as many as the options say",
                     y_pred.describe(), labels);
  }
}

// What `exact` keeps: how many labels there are, and how many of the triples that follow are in
// order, each different: a triple for each score of a label's zeros (2 label) and ones
// (2 label + 1): which of them, the score, its weight.
struct AUC::Scored {
  double at = 0, score = 0, weight = 0;
  bool nan() const { return score != score; }  // it stands in no order: it goes first
  bool same(const Scored& b) const {
    return at == b.at && (score == b.score || (nan() && b.nan()));
  }
  bool operator<(const Scored& b) const {
    if (at != b.at) return at < b.at;
    return nan() || b.nan() ? nan() && !b.nan() : score < b.score;
  }
};

std::vector<AUC::Scored> AUC::in_order(const std::vector<double>& kept) {
  std::vector<Scored> all;
  for (std::size_t i = 2; i + 2 < kept.size(); i += 3) {
    all.push_back({kept[i], kept[i + 1], kept[i + 2]});
  }
  std::stable_sort(all.begin(), all.end());
  std::size_t different = 0;
  for (const Scored& s : all) {
    if (different > 0 && all[different - 1].same(s)) {
      all[different - 1].weight += s.weight;
    } else {
      all[different++] = s;
    }
  }
  all.resize(different);
  return all;
}

void AUC::add(Sums& all, const Sums& more) const {
  if (!options_.exact) return extend::MetricSums::add(all, more);
  if (all.values[0] != more.values[0]) {
    fail<ShapeError>(kind(), "{} labels are kept and {} come; use a metric for each", all.values[0],
                     more.values[0]);
  }
  all.count += more.count;
  all.values.insert(all.values.end(), more.values.begin() + 2, more.values.end());
  // They are put in order when they are twice as many, so that all sorting is that of the last.
  if (static_cast<double>(all.values.size() / 3) < 2 * all.values[1]) return;
  const auto sorted = in_order(all.values);
  all.values.resize(2);
  all.values[1] = static_cast<double>(sorted.size());
  for (const Scored& s : sorted) all.values.insert(all.values.end(), {s.at, s.score, s.weight});
}

bool AUC::keeps(const std::vector<double>& sums) const {
  const auto own = options_.label_weights.values.size();
  if (!options_.exact) {
    const auto size = 2 * buckets();
    return !sums.empty() && sums.size() % size == 0 && (own == 0 || sums.size() / size == own);
  }
  if (sums.size() < 2 || sums.size() % 3 != 2) return false;
  const double labels = sums[0];
  if (!(labels >= 1 && labels <= 0x1p24) || (own != 0 && labels != static_cast<double>(own))) {
    return false;
  }
  for (std::size_t i = 2; i < sums.size(); i += 3) {
    if (!(sums[i] >= 0 && sums[i] < 2 * labels) || !(sums[i + 2] >= 0)) return false;
  }
  return true;
}

std::size_t AUC::labels() const {
  const auto& kept = sums().values;
  if (options_.exact) return kept.empty() ? 0 : static_cast<std::size_t>(kept[0]);
  return kept.size() / (2 * buckets());
}

std::vector<AUC::Point> AUC::points(std::size_t label) const {
  const double* negative = &sums().values[2 * label * buckets()];
  const double* positive = negative + buckets();
  std::vector<Point> points(buckets());
  for (std::size_t i = thresholds_.size(); i-- > 0;) {
    points[i] = {points[i + 1].tp + positive[i + 1], points[i + 1].fp + negative[i + 1]};
  }
  points.pop_back();
  points[0].tp += 0 * positive[0];  // NaN is kept there
  points[0].fp += 0 * negative[0];
  return points;
}

std::vector<AUC::Point> AUC::exact_points(std::span<const Scored> of_label) {
  struct Step {
    double score;
    Point more;
  };
  std::vector<Step> steps;
  for (const Scored& s : of_label) {
    if (s.nan()) return {{s.score, s.score}, {}};
    const bool one = static_cast<std::size_t>(s.at) % 2 == 1;
    steps.push_back({s.score, one ? Point{s.weight, 0} : Point{0, s.weight}});
  }
  std::sort(steps.begin(), steps.end(),
            [](const Step& a, const Step& b) { return a.score > b.score; });
  std::vector<Point> points{{}};
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (i == 0 || steps[i].score != steps[i - 1].score) points.push_back(points.back());
    points.back().tp += steps[i].more.tp;
    points.back().fp += steps[i].more.fp;
  }
  std::reverse(points.begin(), points.end());
  return points;
}

double AUC::area(const std::vector<Point>& points) const {
  if (std::isnan(points[0].all())) return points[0].all();
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
      area += quotient(a.interpolated(b), points[0].tp);
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
  const auto& own = options_.label_weights.values;
  double sum = 0, over = 0;
  const auto scored = options_.exact ? in_order(sums().values) : std::vector<Scored>();
  auto from = scored.begin();
  for (std::size_t k = 0; k < labels(); ++k) {
    const auto end = std::find_if(from, scored.end(), [k](const Scored& s) {
      return s.at >= static_cast<double>(2 * k + 2);
    });
    const double weight = own.empty() ? 1 : own[k];
    sum += weight * area(options_.exact ? exact_points({from, end}) : points(k));
    from = end;
    over += weight;
  }
  return result_of({over == 0 ? 0 : sum / over}, {});
}

}  // namespace maskgrad
