#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <vector>

#include <maskgrad/autograd/ops/decoding/ctc_decode.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/reduce/softmax.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>

#include "counted.hpp"
#include "odd_values.hpp"

// What decoders are held against: all paths, each by itself.

namespace maskgrad::tests {

using Ids = std::vector<std::int64_t>;

/// Labels with their score.
struct Scored {
  Ids labels;
  double score;
};

/// Best first, equal scores by their labels; at most n.
inline std::vector<Scored> sorted(std::vector<Scored> all, std::size_t n) {
  std::sort(all.begin(), all.end(), [](const Scored& a, const Scored& b) {
    return a.score > b.score || (a.score == b.score && a.labels < b.labels);
  });
  if (all.size() > n) all.resize(n);
  return all;
}

/// Calls f with every path of `steps` choices among `n`.
inline void every_path(std::int64_t steps, std::int64_t n,
                       const std::function<void(const Ids&)>& f) {
  Ids path(static_cast<std::size_t>(steps), 0);
  while (true) {
    f(path);
    std::size_t i = 0;
    while (i < path.size() && ++path[i] == n) path[i++] = 0;
    if (i == path.size()) return;
  }
}

/// What a path reads as: repeats merged, blanks dropped.
inline Ids reading(const Ids& path, std::int64_t blank, bool merge = true) {
  Ids read;
  for (std::size_t t = 0; t < path.size(); ++t) {
    if (path[t] == blank || (merge && t > 0 && path[t] == path[t - 1])) continue;
    read.push_back(path[t]);
  }
  return read;
}

/// The log probability of each class at each valid step of sequence b.
inline std::vector<Values> log_steps(const Tensor& logits, std::int64_t b) {
  std::vector<Values> steps;
  const Tensor log_p = log_softmax(logits);
  for (std::int64_t t = 0; t < logits.size(1); ++t) {
    if (logits.mask() && !logits.mask().at({b, t})) continue;
    auto& step = steps.emplace_back();
    for (std::int64_t c = 0; c < logits.size(2); ++c) step.push_back(log_p.item({b, t, c}));
  }
  return steps;
}

inline double score_of(const std::vector<Values>& log_p, const Ids& path) {
  double score = 0;
  for (std::size_t t = 0; t < path.size(); ++t)
    score += log_p[t][static_cast<std::size_t>(path[t])];
  return score;
}

/// What the scorer adds for all labels, the end too.
inline double weight_of(const CTCScorer& scorer, const Ids& labels) {
  double weight = 0;
  for (std::size_t i = 0; scorer.append && i < labels.size(); ++i) {
    weight += scorer.append({labels.data(), i}, labels[i]);
  }
  return weight + (scorer.end ? scorer.end(labels) : 0);
}

/// All labels that a path reads as, with the log of their probability over all paths and what the
/// scorer adds.
inline std::vector<Scored> by_all_paths(const std::vector<Values>& log_p, std::int64_t blank,
                                        const CTCScorer& scorer = {}) {
  if (log_p.empty()) return {};
  std::map<Ids, long double> sums;
  every_path(static_cast<std::int64_t>(log_p.size()), static_cast<std::int64_t>(log_p[0].size()),
             [&](const Ids& path) {
               sums[reading(path, blank)] +=
                   std::exp(static_cast<long double>(score_of(log_p, path)));
             });
  std::vector<Scored> all;
  for (const auto& [labels, sum] : sums) {
    const double score = static_cast<double>(std::log(sum)) + weight_of(scorer, labels);
    if (score > -infinity) all.push_back({labels, score});
  }
  return all;
}

/// The results of sequence b of a beam search.
inline std::vector<Scored> results_of(const CTCDecodeResult& decoded, std::int64_t b) {
  std::vector<Scored> all;
  const auto &labels = decoded.labels, &scores = decoded.scores;
  for (std::int64_t k = 0; k < scores.size(1); ++k) {
    Ids own;
    for (std::int64_t i = 0; i < labels.size(2); ++i) {
      if (!labels.mask().at({b, k, i})) continue;
      CHECK(static_cast<std::int64_t>(own.size()) == i);  // no hole
      own.push_back(static_cast<std::int64_t>(labels.item({b, k, i})));
    }
    const bool there = !scores.has_mask() || scores.mask().at({b, k});
    CHECK((there || own.empty()));
    if (!there) continue;
    CHECK(static_cast<std::int64_t>(all.size()) == k);  // what lacks stands behind
    all.push_back({own, scores.item({b, k})});
  }
  return all;
}

inline void check_same(const std::vector<Scored>& got, const std::vector<Scored>& expected,
                       double tolerance = 1e-12) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t k = 0; k < got.size(); ++k) {
    CAPTURE(k);
    CHECK(got[k].labels == expected[k].labels);
    CHECK(std::abs(got[k].score - expected[k].score) <=
          tolerance * (1 + std::abs(expected[k].score)));
  }
}

/// Prefix beam search as Hannun et al. 2014 write it down, over whole prefixes.
inline std::vector<Scored> plain_beam(const std::vector<Values>& log_p, std::int64_t blank,
                                      std::size_t width, const CTCScorer& scorer = {}) {
  struct Sums {
    double blank = 0, label = 0;  // probabilities
  };
  std::map<Ids, Sums> beam{{{}, {1, 0}}};
  const CTCScorer no_end{.append = scorer.append};
  for (const auto& step : log_p) {
    std::map<Ids, Sums> next;
    for (const auto& [prefix, sums] : beam) {
      for (std::size_t c = 0; c < step.size(); ++c) {
        const double p = std::exp(step[c]), total = sums.blank + sums.label;
        const auto label = static_cast<std::int64_t>(c);
        if (label == blank) {
          next[prefix].blank += p * total;
          continue;
        }
        const bool repeat = !prefix.empty() && prefix.back() == label;
        if (repeat) next[prefix].label += p * sums.label;
        Ids longer = prefix;
        longer.push_back(label);
        next[longer].label += p * (repeat ? sums.blank : total);
      }
    }
    std::vector<Scored> ranked;
    for (const auto& [prefix, sums] : next) {
      const double score = std::log(sums.blank + sums.label) + weight_of(no_end, prefix);
      if (score > -infinity) ranked.push_back({prefix, score});
    }
    beam.clear();
    for (const auto& kept : sorted(ranked, width)) beam[kept.labels] = next[kept.labels];
  }
  std::vector<Scored> all;
  for (const auto& [prefix, sums] : beam) {
    const double score = std::log(sums.blank + sums.label) + weight_of(scorer, prefix);
    if (score > -infinity) all.push_back({prefix, score});
  }
  return all;
}

}  // namespace maskgrad::tests
