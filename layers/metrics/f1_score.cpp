#include <maskgrad/layers/metrics/f1_score.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <maskgrad/core/nearest.hpp>
#include <maskgrad/layers/metrics/number_list.hpp>
#include <maskgrad/layers/metrics/values.hpp>

namespace maskgrad {
namespace {

struct Counts {
  double both = 0, predicted = 0, positive = 0;  // tp, tp + fp, tp + fn
  double score() const { return absent() ? 0 : 2 * both / (predicted + positive); }
  bool absent() const { return predicted + positive == 0; }
};

Counts at(const std::vector<double>& sums, std::size_t c) {
  return {sums[3 * c], sums[3 * c + 1], sums[3 * c + 2]};
}

template <class T>
bool is_greatest(T score, T greatest) {
  return score >= greatest && score != 0;
}

}  // namespace

F1Score::F1Score(F1ScoreOptions options) : Metric("F1Score"), options_(std::move(options)) {
  if (options_.threshold) check::number(kind(), "threshold", *options_.threshold);
  constexpr std::array<std::string_view, 3> known = {"micro", "macro", "weighted"};
  const auto& average = options_.average;
  if (!average || std::find(known.begin(), known.end(), *average) != known.end()) return;
  fail<OptionError>(kind(), "the option .average is '{}'; {}", *average,
                    nearest_hint(*average, known));
}

void F1Score::write_options(extend::OptionWriter& writer) const {
  F1ScoreOptions::each_option(options_, writer);
}

Metric::Sums F1Score::measure(const Tensor& y_true, const Tensor& y_pred,
                              const Tensor& sample_weight) const {
  const Tensor given = metrics::labels_for(kind(), y_true, y_pred);
  const metrics::Weighted in = metrics::weighted_rows(kind(), given, y_pred, sample_weight);
  metrics::check_labels(kind(), in.target);
  const auto classes = static_cast<std::size_t>(in.prediction.shape().back());
  Sums all{std::vector<double>(3 * classes)};
  const auto weights = rows::of<double>(in.weight);
  extend::dispatch_real(kind(), in.prediction.dtype(), [&]<class T>() {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const auto labels = metrics::row<T>(in.target, static_cast<std::int64_t>(i));
      const auto scores = metrics::row<T>(in.prediction, static_cast<std::int64_t>(i));
      T greatest = scores.empty() ? T(0) : *std::max_element(scores.begin(), scores.end());
      if (metrics::all_tied(scores)) greatest = std::numeric_limits<T>::infinity();
      const bool unknown = !options_.threshold && metrics::any_nan(scores);
      all.count += weights[i];
      for (std::size_t c = 0; c < classes; ++c) {
        const bool predicted = options_.threshold ? scores[c] > static_cast<T>(*options_.threshold)
                                                  : is_greatest(scores[c], greatest);
        const bool positive = labels[c] != 0;
        if (unknown || scores[c] != scores[c]) {
          std::fill_n(all.values.begin() + static_cast<std::ptrdiff_t>(3 * c), 3, std::nan(""));
        }
        if (positive && predicted) all.values[3 * c] += weights[i];
        if (predicted) all.values[3 * c + 1] += weights[i];
        if (positive) all.values[3 * c + 2] += weights[i];
      }
    }
  });
  return all;
}

Tensor F1Score::result() const {
  const auto& counted = sums().values;
  const auto classes = counted.size() / 3;
  std::vector<double> scores;
  Counts all;
  double sum = 0, weighted = 0, there = 0;
  for (std::size_t c = 0; c < classes; ++c) {
    const Counts own = at(counted, c);
    scores.push_back(own.score());
    sum += own.score();
    there += !own.absent();
    weighted += own.positive * own.score();
    all = {all.both + own.both, all.predicted + own.predicted, all.positive + own.positive};
  }
  if (!options_.average) return result_of(scores, {static_cast<std::int64_t>(classes)});
  if (*options_.average == "micro") return result_of({all.score()}, {});
  const bool macro = *options_.average == "macro";
  const double of_macro = options_.ignore_absent ? there : static_cast<double>(classes);
  const double over = macro ? of_macro : all.positive;
  return result_of({over == 0 ? 0 : (macro ? sum : weighted) / over}, {});
}

}  // namespace maskgrad
