#include <maskgrad/autograd/ops/ctc.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <maskgrad/autograd/ops/chains.hpp>
#include <maskgrad/core/kernels/selected.hpp>
#include <maskgrad/core/kernels/simd/lines.hpp>

namespace maskgrad {
namespace {

using chains::log_add;
using chains::log_of_0;

constexpr std::string_view op = "ctc_negative_log_likelihood";

/// A sample: its labels with blanks between and around are the states that its steps walk through.
template <Real T>
struct Sample {
  const std::int64_t* labels;
  std::int64_t count;  ///< of labels
  const T* x;          ///< [steps, classes]
  std::int64_t steps, classes, blank;

  std::int64_t states() const { return 2 * count + 1; }
  /// Whether state s may follow state s - 2: the blank between different labels can be left out.
  bool skips(std::int64_t s) const { return s % 2 && s > 1 && labels[s / 2] != labels[s / 2 - 1]; }
};

/// Room for one sample after the other. Log probabilities of states stand between two of nothing
/// before and behind, so that a state's neighbours are read without asking whether it has them; and
/// lines are whole vectors long. What is computed behind the last state is read by none.
class Walk {
 public:
  /// Minus the log probability of all walks: infinity where there is none, NaN where a step's
  /// logits have no softmax (NaN or +infinity among them), wherever they stand.
  template <Real T>
  double forward(const Sample<T>& a) {
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
  void gradient(const Sample<T>& a, T* dx) {
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
  bool emissions(const Sample<T>& a) {
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

void check_call(const Tensor& labels, const Tensor& logits, std::int64_t blank) {
  check::ids(op, labels);
  check::real(op, logits);
  check::rank(op, labels, 2, "[batch, label]");
  check::rank(op, logits, 3, "[batch, time, classes]");
  check::inner_axis(op, logits, -1, "mask whole steps");
  if (!fits(labels.shape()[0], logits.shape()[0])) {
    fail<ShapeError>(op, "labels {} for logits {}; expected the same batch", labels.describe(),
                     logits.describe());
  }
  const auto classes = logits.shape().back();
  if (blank >= 0 && (classes == any || blank < classes)) return;
  fail<OptionError>(op, "the blank is class {} of logits {}; expected 0 to classes - 1", blank,
                    logits.describe());
}

/// Where each sample's labels and steps are.
struct Batch {
  Tensor labels, logits;
  std::int64_t blank;
  chains::Steps of_labels, of_steps;

  std::int64_t classes() const { return logits.shape().back(); }
  std::int64_t work() const { return rows::total(logits) + 4 * rows::total(labels); }
  template <Real T>
  Sample<T> sample(std::int64_t b) const {
    return {rows::of<std::int64_t>(labels).data() + of_labels.first[b],
            of_labels.length[b],
            rows::of<T>(logits).data() + of_steps.first[b] * classes(),
            of_steps.length[b],
            classes(),
            blank};
  }
};

/// Steps that the labels of sample `b` take; checks them.
std::int64_t needed(const Batch& batch, std::int64_t b) {
  const auto* labels = rows::of<std::int64_t>(batch.labels).data() + batch.of_labels.first[b];
  const auto n = batch.of_labels.length[b];
  auto steps = n;
  for (std::int64_t i = 0; i < n; ++i) {
    if (labels[i] < 0 || labels[i] >= batch.classes() || labels[i] == batch.blank) {
      fail<IndexError>(op,
                       "label {} of sequence {} is {}; expected a class of 0 to {} that is not the "
                       "blank, {}",
                       i, b, labels[i], batch.classes() - 1, batch.blank);
    }
    steps += i > 0 && labels[i] == labels[i - 1];
  }
  return steps;
}

/// Which samples have steps enough for their labels; the others have no loss.
Pooled<std::uint8_t> feasible(const Batch& batch, Infeasible infeasible, std::int64_t& skipped) {
  Pooled<std::uint8_t> there(batch.of_steps.batch());
  for (std::int64_t b = 0; b < there.size(); ++b) {
    const auto steps = batch.of_steps.length[b], labels = batch.of_labels.length[b];
    there[b] = steps > 0 && labels >= 0;
    if (!there[b]) continue;
    const auto least = needed(batch, b);
    if (least <= steps) continue;
    there[b] = 0;
    ++skipped;
    if (infeasible == Infeasible::skip) continue;
    fail<ShapeError>(op,
                     "sequence {} has {} valid steps for {} labels, which take {} (one each, and "
                     "one between equal neighbours); give it more steps, or leave such sequences "
                     "out with skip_infeasible",
                     b, steps, labels, least);
  }
  return there;
}

/// The loss of each sample that is there, and its gradient where that is wanted.
template <Real T>
Pooled<double> run(const Batch& batch, const Pooled<std::uint8_t>& there, const Tensor& gradient) {
  T* dx = gradient.defined() ? rows::of_mutable<T>(gradient).data() : nullptr;
  Pooled<double> losses(there.size());
  chains::over_samples(there.size(), batch.work(),
                       [&](std::int64_t, std::int64_t from, std::int64_t end) {
                         Walk walk;
                         for (auto b = from; b < end; ++b) {
                           if (!there[b]) continue;
                           const auto sample = batch.sample<T>(b);
                           losses[b] = walk.forward(sample);
                           if (dx && losses[b] != -log_of_0)
                             walk.gradient(sample, dx + batch.of_steps.first[b] * batch.classes());
                         }
                       });
  return losses;
}

/// Takes out the samples whose labels no walk reads, as logits are -infinity.
void check_walks(const Batch& batch, const Pooled<double>& losses, Infeasible infeasible,
                 Pooled<std::uint8_t>& there, std::int64_t& skipped) {
  for (std::int64_t b = 0; b < there.size(); ++b) {
    if (!there[b] || losses[b] != -log_of_0) continue;
    there[b] = 0;
    ++skipped;
    if (infeasible == Infeasible::skip) continue;
    fail<ShapeError>(op,
                     "sequence {} cannot have its {} labels: logits of -infinity forbid every way "
                     "through its {} valid steps; give it labels that are not forbidden, or leave "
                     "such sequences out with skip_infeasible",
                     b, batch.of_labels.length[b], batch.of_steps.length[b]);
  }
}

void backward(const chains::Steps& steps, const Tensor& gradient, const Tensor& dy, Grads& grads) {
  const auto classes = gradient.shape().back();
  dispatch_real(op, dy.dtype(), [&]<class T>() {
    const T *g = rows::of<T>(gradient).data(), *d = rows::of<T>(dy).data();
    const auto dx = grads.target<T>(0);
    chains::over_samples(steps.batch(), rows::total(gradient),
                         [&](std::int64_t, std::int64_t from, std::int64_t to) {
                           for (auto b = from; b < to; ++b) {
                             const auto row = chains::row_of(dy, b);
                             const auto at = steps.first[b] * classes,
                                        end = at + steps.length[b] * classes;
                             for (auto i = at; i < end; ++i) {
                               const T one = row < 0 ? T(0) : kernels::selected(d[row], g[i]);
                               dx.values[i] = dx.fresh ? one : dx.values[i] + one;
                             }
                           }
                         });
  });
}

}  // namespace

Tensor ctc_negative_log_likelihood(const Tensor& labels, const Tensor& logits, std::int64_t blank,
                                   Infeasible infeasible) {
  return detail::ctc_losses(labels, logits, blank, infeasible).y;
}

detail::CTCLosses detail::ctc_losses(const Tensor& labels, const Tensor& logits, std::int64_t blank,
                                     Infeasible infeasible) {
  check_call(labels, logits, blank);
  const Tensor& masked = labels.has_mask() && labels.mask().rank() < 2 ? labels : logits;
  if (labels.is_meta() || logits.is_meta()) {
    return {rows::make_meta({logits.shape()[0]}, logits.dtype(), chains::kept_meta(op, masked)), 0};
  }
  const Batch batch{labels.value(), logits.value(), blank, chains::Steps(labels),
                    chains::Steps(logits)};
  std::int64_t skipped = 0;
  auto there = feasible(batch, infeasible, skipped);
  Tensor gradient;
  if (tape::any_on_tape({logits})) {
    gradient = rows::make(logits.shape(), logits.dtype(), logits.mask());
  }
  const Tensor y = dispatch_real(op, logits.dtype(), [&]<class T>() {
    const auto losses = run<T>(batch, there, gradient);
    check_walks(batch, losses, infeasible, there, skipped);
    const Tensor all = rows::make({there.size()}, logits.dtype(), chains::kept(op, masked, there));
    T* to = rows::of_mutable<T>(all).data();
    for (std::int64_t b = 0; b < there.size(); ++b) {
      if (there[b]) *to++ = static_cast<T>(losses[b]);
    }
    return all;
  });
  return {record(op, y, {logits},
                 [gradient, steps = batch.of_steps](const Tensor& dy, Grads& grads) {
                   backward(steps, gradient, dy, grads);
                 }),
          skipped};
}

}  // namespace maskgrad
