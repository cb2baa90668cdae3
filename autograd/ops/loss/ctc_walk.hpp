#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <maskgrad/autograd/ops/loss/sequence_dp.hpp>
#include <maskgrad/core/kernels/simd/lines.hpp>

/// The sums over all walks through the labels of one sample, of which ctc is made.
namespace maskgrad::sequence_dp {

/// A sample: its labels with blanks between and around are the states that its steps walk through.
template <Real T>
struct CtcSample {
  const std::int64_t* labels;
  std::int64_t count;  ///< of labels
  const T* x;          ///< [steps, classes]
  std::int64_t steps, classes, blank;

  std::int64_t states() const { return 2 * count + 1; }
  /// Whether state s may follow state s - 2: the blank between different labels can be left out.
  bool skips(std::int64_t s) const { return s % 2 && s > 1 && labels[s / 2] != labels[s / 2 - 1]; }
};

/// Room for one sample after the other. Log probabilities of states stand between two of nothing
/// before and behind, so that a state's neighbors are read without asking whether it has them; and
/// lines are whole vectors long. What is computed behind the last state is read by none.
class CtcWalk {
 public:
  /// Minus the log probability of all walks: infinity where there is none, NaN where a step's
  /// logits have no softmax (NaN or +infinity among them), wherever they stand.
  template <Real T>
  double forward(const CtcSample<T>& a) {
    reserve(a.steps, a.states());
    if (!emissions(a)) return total_ = std::numeric_limits<double>::quiet_NaN();
    const auto n = a.states();
    for (std::int64_t s = 0; s < width_ + 2; ++s) skip_[s] = s < n && a.skips(s) ? 0 : log_of_0;
    for (std::int64_t s = 0; s < width_; ++s)
      alpha(0)[s] = s < std::min<std::int64_t>(n, 2) ? emit(0)[s] : log_of_0;
    for (std::int64_t t = 1; t < a.steps; ++t) {
      const double *before = alpha(t - 1), *e = emit(t);
      double* now = alpha(t);
      lines_.log_sum3(before, before - 1, before - 2, skip_.data(), now, width_);
      for (std::int64_t s = 0; s < n; ++s) now[s] += e[s];
    }
    const double* last = alpha(a.steps - 1);
    total_ = n > 1 ? log_add(last[n - 1], last[n - 2]) : last[0];
    return -total_;
  }

  /// The gradient of that, after forward: softmax(x) - the share of the walks through each class;
  /// of NaN all NaN.
  template <Real T>
  void gradient(const CtcSample<T>& a, T* dx) {
    if (total_ != total_) return void(std::fill_n(dx, a.steps * a.classes, static_cast<T>(total_)));
    const auto n = a.states();
    double *beta = beta_.data(), *next = next_.data(), *share = share_.data();
    for (std::int64_t s = 0; s < n; ++s) beta[s] = s + 2 < n ? log_of_0 : 0;
    for (auto t = a.steps - 1; t >= 0; --t) {
      T* d = dx + t * a.classes;
      kernels::simd::lines<T>().exp_scaled(a.x + t * a.classes, static_cast<T>(top_[t]),
                                           static_cast<T>(1 / sum_[t]), false, d, a.classes);
      const double *now = alpha(t), *e = emit(t);
      for (std::int64_t s = 0; s < n; ++s) share[s] = now[s] + beta[s];
      lines_.exp_scaled(share, total_, 1, false, share, width_);
      double of_blank = 0;
      for (std::int64_t s = 0; s < n; s += 2) of_blank += share[s];
      d[a.blank] -= static_cast<T>(of_blank);
      for (std::int64_t i = 0; i < a.count; ++i) d[a.labels[i]] -= static_cast<T>(share[2 * i + 1]);
      for (std::int64_t s = 0; s < n; ++s) next[s] = beta[s] + e[s];
      lines_.log_sum3(next, next + 1, next + 2, skip_.data() + 2, beta, width_);
    }
  }

 private:
  double* alpha(std::int64_t t) { return alpha_.data() + t * (width_ + 2) + 2; }
  double* emit(std::int64_t t) { return emit_.data() + t * states_; }

  static void grow(Pooled<double>& values, std::int64_t n) {
    if (values.size() < n) values = Pooled<double>(n);
  }
  void reserve(std::int64_t steps, std::int64_t states) {
    constexpr std::int64_t vector = 8;
    states_ = states;
    width_ = (states + vector - 1) / vector * vector;
    grow(alpha_, steps * (width_ + 2));
    grow(emit_, steps * states);
    for (auto* line : {&beta_, &next_, &share_, &skip_}) {
      grow(*line, width_ + 2);
      std::fill(line->begin(), line->end(), log_of_0);
    }
    for (auto* each : {&top_, &sum_}) grow(*each, steps);
    for (std::int64_t t = 0; t < steps; ++t) std::fill_n(alpha(t) - 2, 2, log_of_0);
  }

  /// The log probability of each state's symbol at each step; false where there are none.
  template <Real T>
  bool emissions(const CtcSample<T>& a) {
    const auto& lines = kernels::simd::lines<T>();
    bool numbers = true;
    for (std::int64_t t = 0; t < a.steps; ++t) {
      const T* x = a.x + t * a.classes;
      T top = lines.greatest(x, a.classes);
      if (static_cast<double>(top) == log_of_0) top = 0;  // no class has a probability
      top_[t] = static_cast<double>(top);
      sum_[t] = std::max(lines.sum_exp(x, top, a.classes), std::numeric_limits<double>::min());
      numbers = numbers && std::isfinite(top_[t]);
      const double by = std::log(sum_[t]);
      const auto log_p = [&](std::int64_t c) { return (static_cast<double>(x[c]) - top_[t]) - by; };
      const double of_blank = log_p(a.blank);
      double* e = emit(t);
      for (std::int64_t i = 0; i < a.count; ++i) {
        e[2 * i] = of_blank;
        e[2 * i + 1] = log_p(a.labels[i]);
      }
      e[2 * a.count] = of_blank;
    }
    return numbers;
  }

  const kernels::simd::Lines<double>& lines_ = kernels::simd::lines<double>();
  Pooled<double> alpha_, emit_, beta_, next_, share_;
  Pooled<double> skip_;       ///< 0 where a state may follow the one but one before it
  Pooled<double> top_, sum_;  ///< of a step's logits: the greatest, and of e^(x - that)
  std::int64_t states_ = 0, width_ = 0;
  double total_ = 0;
};

}  // namespace maskgrad::sequence_dp
