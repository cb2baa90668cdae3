#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include <maskgrad/autograd/ops/loss/sequence_dp.hpp>
#include <maskgrad/core/kernels/simd/arrays.hpp>

/// The sums over all paths through the tags of one sequence, of which crf is made.
namespace maskgrad::sequence_dp {

/// log(sum of exp(f(i))) over n values.
template <class F>
double log_sum(std::int64_t n, F&& f) {
  double top = log_of_0, sum = 0;
  for (std::int64_t i = 0; i < n; ++i) top = std::max(top, f(i));
  if (top == log_of_0) return top;
  for (std::int64_t i = 0; i < n; ++i) sum += std::exp(f(i) - top);
  return top + std::log(sum);
}

/// Whether a value is NaN or +infinity, of which no sum over paths can be told.
template <Real T>
bool no_scores(const T* x, std::int64_t n) {
  bool bad = false;
  for (std::int64_t i = 0; i < n; ++i) bad |= !(x[i] < std::numeric_limits<T>::infinity());
  return bad;
}

/// y = e^(x - top), top the greatest of x, which is given back; 0 where all are -infinity.
inline double odds_of(const double* x, std::int64_t n, double* y) {
  const double top = *std::max_element(x, x + n);
  if (top == log_of_0) {
    std::fill_n(y, n, 0);
    return top;
  }
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] - top;
  kernels::simd::exp(y, y, n);
  return top;
}

/// e^(transition - top) from each tag to each, and turned: with them a log sum over tags takes
/// products and a single logarithm.
struct Odds {
  Odds() = default;
  template <Real T>
  Odds(const T* transitions, std::int64_t tags) : to(tags * tags), from(tags * tags) {
    no_scores = sequence_dp::no_scores(transitions, tags * tags);
    if (no_scores) return;
    Pooled<double> all(tags * tags);
    std::copy_n(transitions, tags * tags, all.data());
    top = odds_of(all.data(), tags * tags, to.data());
    for (std::int64_t i = 0; i < tags; ++i) {
      for (std::int64_t j = 0; j < tags; ++j) from[j * tags + i] = to[i * tags + j];
    }
  }
  Pooled<double> to, from;
  double top = 0;
  bool no_scores = false;  ///< NaN or +infinity is among the transitions
};
inline constexpr double fewest = 1e-200;  // a sum below may lack what was rounded to 0

/// One sample's potentials [steps, tags], and the transitions.
template <Real T>
struct Chain {
  const T *x, *transitions;
  std::int64_t steps, tags;

  double potential(std::int64_t t, std::int64_t j) const { return x[t * tags + j]; }
  double transition(std::int64_t i, std::int64_t j) const { return transitions[i * tags + j]; }

  double score(const std::int64_t* path) const {
    double total = 0;
    for (std::int64_t t = 0; t < steps; ++t) {
      total += potential(t, path[t]);
      if (t > 0) total += transition(path[t - 1], path[t]);
    }
    return total;
  }

  /// to[j] = log(sum over i of e^(from[i] + the transition's score from i to j)); `turned`: from j
  /// to i. `workspace` has [2, tags].
  void log_sums(const Odds& odds, bool turned, const double* from, double* to,
                double* workspace) const {
    double *own = workspace, *sums = workspace + tags;
    const double top = odds_of(from, tags, own) + odds.top;
    std::fill_n(sums, tags, 0);
    for (std::int64_t i = 0; i < tags; ++i) {
      const double* row = (turned ? odds.from : odds.to).data() + i * tags;
      for (std::int64_t j = 0; j < tags; ++j) sums[j] += own[i] * row[j];
    }
    kernels::simd::log(sums, to, tags);
    for (std::int64_t j = 0; j < tags; ++j) {
      to[j] += top;
      if (sums[j] > fewest) continue;
      to[j] = log_sum(
          tags, [&](auto i) { return from[i] + (turned ? transition(j, i) : transition(i, j)); });
    }
  }

  /// alpha [steps, tags]: the log sum of the scores of all paths that end there; gives that of all,
  /// NaN where a score that is read is NaN or +infinity.
  double forward(const Odds& odds, double* alpha, double* workspace) const {
    if (sequence_dp::no_scores(x, steps * tags) || (steps > 1 && odds.no_scores)) {
      return std::numeric_limits<double>::quiet_NaN();
    }
    for (std::int64_t j = 0; j < tags; ++j) alpha[j] = potential(0, j);
    for (std::int64_t t = 1; t < steps; ++t) {
      double* now = alpha + t * tags;
      log_sums(odds, false, now - tags, now, workspace);
      for (std::int64_t j = 0; j < tags; ++j) now[j] += potential(t, j);
    }
    const double* last = alpha + (steps - 1) * tags;
    return log_sum(tags, [&](auto j) { return last[j]; });
  }

  /// Adds dy times the gradients: the share of the paths through each tag and transition, less
  /// those of `path`; of a NaN total all NaN. `workspace` has [5, tags].
  void backward(const Odds& odds, const double* alpha, double total, const std::int64_t* path,
                double dy, T* dx, double* dtransitions, double* workspace) const {
    if (total != total) {
      for (std::int64_t i = 0; dx && i < steps * tags; ++i) dx[i] += static_cast<T>(total);
      for (std::int64_t i = 0; dtransitions && i < tags * tags; ++i) dtransitions[i] += total;
      return;
    }
    double *beta = workspace, *next = workspace + tags, *share = workspace + 2 * tags;
    std::fill_n(beta, tags, 0);
    for (auto t = steps - 1; t >= 0; --t) {
      const double* now = alpha + t * tags;
      for (std::int64_t j = 0; j < tags; ++j) share[j] = now[j] + beta[j] - total;
      kernels::simd::exp(share, share, tags);
      for (std::int64_t j = 0; j < tags; ++j) {
        if (dx) dx[t * tags + j] += static_cast<T>(dy * (share[j] - (path[t] == j)));
        next[j] = potential(t, j) + beta[j];
      }
      if (t == 0) break;
      if (dtransitions)
        pairs(odds, now - tags, next, total, dy, dtransitions, workspace + 3 * tags);
      if (dtransitions) dtransitions[path[t - 1] * tags + path[t]] -= dy;
      log_sums(odds, true, next, beta, workspace + 3 * tags);
    }
  }

  /// Adds dy times the share of the paths through each transition; `workspace` has [2, tags].
  void pairs(const Odds& odds, const double* before, const double* next, double total, double dy,
             double* dtransitions, double* workspace) const {
    double *first = workspace, *second = workspace + tags;
    const double top = odds_of(before, tags, first) + odds_of(next, tags, second);
    const double scale = std::exp(top + odds.top - total);
    if (scale < 1 / fewest) {
      for (std::int64_t i = 0; i < tags; ++i) {
        const double by = dy * scale * first[i];
        const double* row = odds.to.data() + i * tags;
        double* to = dtransitions + i * tags;
        for (std::int64_t j = 0; j < tags; ++j) to[j] += by * row[j] * second[j];
      }
      return;
    }
    for (std::int64_t i = 0; i < tags; ++i) {  // the greatest of all three belong to no path
      for (std::int64_t j = 0; j < tags; ++j) {
        dtransitions[i * tags + j] += dy * std::exp(before[i] + transition(i, j) + next[j] - total);
      }
    }
  }

  /// The path of the greatest score; `best` has workspace for two steps, `from` for all.
  void decode(std::int64_t* path, double* best, std::int32_t* from) const {
    double* next = best + tags;
    for (std::int64_t j = 0; j < tags; ++j) best[j] = potential(0, j);
    for (std::int64_t t = 1; t < steps; ++t) {
      for (std::int64_t j = 0; j < tags; ++j) {
        std::int64_t top = 0;
        for (std::int64_t i = 1; i < tags; ++i) {
          if (best[i] + transition(i, j) > best[top] + transition(top, j)) top = i;
        }
        from[t * tags + j] = static_cast<std::int32_t>(top);
        next[j] = best[top] + transition(top, j) + potential(t, j);
      }
      std::swap(best, next);
    }
    path[steps - 1] = std::max_element(best, best + tags) - best;
    for (auto t = steps - 1; t > 0; --t) path[t - 1] = from[t * tags + path[t]];
  }
};

}  // namespace maskgrad::sequence_dp
