#include <maskgrad/autograd/ops/ctc.hpp>

#include <algorithm>

#include <maskgrad/autograd/ops/chains.hpp>

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
  std::int64_t symbol(std::int64_t s) const { return s % 2 ? labels[s / 2] : blank; }
  /// Whether state s may follow state s - 2: the blank between different labels can be left out.
  bool skips(std::int64_t s) const { return s % 2 && s > 1 && labels[s / 2] != labels[s / 2 - 1]; }
};

/// Room for one sample after the other.
class Walk {
 public:
  /// Minus the log probability of all walks.
  template <Real T>
  double forward(const Sample<T>& a) {
    reserve(a.steps, a.states());
    emissions(a);
    const auto n = a.states();
    std::fill_n(alpha(0), n, log_of_0);
    for (std::int64_t s = 0; s < std::min<std::int64_t>(n, 2); ++s) alpha(0)[s] = emit(0)[s];
    for (std::int64_t t = 1; t < a.steps; ++t) {
      const double *before = alpha(t - 1), *e = emit(t);
      double* now = alpha(t);
      for (std::int64_t s = 0; s < n; ++s) {
        double sum = s > 0 ? log_add(before[s], before[s - 1]) : before[s];
        if (a.skips(s)) sum = log_add(sum, before[s - 2]);
        now[s] = sum + e[s];
      }
    }
    const double* last = alpha(a.steps - 1);
    total_ = n > 1 ? log_add(last[n - 1], last[n - 2]) : last[0];
    return -total_;
  }

  /// The gradient of that, after forward: softmax(x) - the share of the walks through each class.
  template <Real T>
  void gradient(const Sample<T>& a, T* dx) {
    const auto n = a.states();
    double *beta = beta_.data(), *next = next_.data();
    for (std::int64_t s = 0; s < n; ++s) beta[s] = s + 2 < n ? log_of_0 : 0;
    for (auto t = a.steps - 1; t >= 0; --t) {
      T* d = dx + t * a.classes;
      for (std::int64_t c = 0; c < a.classes; ++c) {
        d[c] = static_cast<T>(std::exp(static_cast<double>(a.x[t * a.classes + c]) - log_sum_[t]));
      }
      const double *now = alpha(t), *e = emit(t);
      for (std::int64_t s = 0; s < n; ++s) {
        d[a.symbol(s)] -= static_cast<T>(std::exp(now[s] + beta[s] - total_));
        next[s] = beta[s] + e[s];
      }
      for (std::int64_t s = 0; s < n; ++s) {
        double sum = s + 1 < n ? log_add(next[s], next[s + 1]) : next[s];
        if (s + 2 < n && a.skips(s + 2)) sum = log_add(sum, next[s + 2]);
        beta[s] = sum;
      }
    }
  }

 private:
  double* alpha(std::int64_t t) { return alpha_.data() + t * states_; }
  double* emit(std::int64_t t) { return emit_.data() + t * states_; }

  void reserve(std::int64_t steps, std::int64_t states) {
    states_ = states;
    if (alpha_.size() < steps * states) {
      alpha_ = Pooled<double>(steps * states);
      emit_ = Pooled<double>(steps * states);
    }
    if (beta_.size() < states) {
      beta_ = Pooled<double>(states);
      next_ = Pooled<double>(states);
    }
    if (log_sum_.size() < steps) log_sum_ = Pooled<double>(steps);
  }

  /// The log probability of each state's symbol at each step.
  template <Real T>
  void emissions(const Sample<T>& a) {
    for (std::int64_t t = 0; t < a.steps; ++t) {
      const T* x = a.x + t * a.classes;
      const double top = *std::max_element(x, x + a.classes);
      double sum = 0;
      for (std::int64_t c = 0; c < a.classes; ++c) sum += std::exp(static_cast<double>(x[c]) - top);
      log_sum_[t] = top + std::log(sum);
      for (std::int64_t s = 0; s < states_; ++s) emit(t)[s] = x[a.symbol(s)] - log_sum_[t];
    }
  }

  Pooled<double> alpha_, emit_, beta_, next_, log_sum_;
  std::int64_t states_ = 0;
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

/// Which samples have a loss.
Pooled<std::uint8_t> feasible(const Batch& batch, Infeasible infeasible) {
  Pooled<std::uint8_t> there(batch.of_steps.batch());
  for (std::int64_t b = 0; b < there.size(); ++b) {
    const auto steps = batch.of_steps.length[b], labels = batch.of_labels.length[b];
    there[b] = steps > 0 && labels >= 0;
    if (!there[b]) continue;
    const auto least = needed(batch, b);
    if (least <= steps) continue;
    there[b] = 0;
    if (infeasible == Infeasible::skip) continue;
    fail<ShapeError>(op,
                     "sequence {} has {} valid steps for {} labels, which take {} (one each, and "
                     "one between equal neighbours); give it more steps, or leave such sequences "
                     "out with skip_infeasible",
                     b, steps, labels, least);
  }
  return there;
}

template <Real T>
void run(const Batch& batch, const Tensor& y, const Tensor& gradient) {
  T* to = rows::of_mutable<T>(y).data();
  T* dx = gradient.defined() ? rows::of_mutable<T>(gradient).data() : nullptr;
  chains::over_samples(batch.of_steps.batch(), batch.work(),
                       [&](std::int64_t, std::int64_t from, std::int64_t end) {
                         Walk walk;
                         for (auto b = from; b < end; ++b) {
                           const auto row = chains::row_of(y, b);
                           if (row < 0) continue;
                           const auto sample = batch.sample<T>(b);
                           to[row] = static_cast<T>(walk.forward(sample));
                           if (dx)
                             walk.gradient(sample, dx + batch.of_steps.first[b] * batch.classes());
                         }
                       });
}

void backward(const chains::Steps& steps, const Tensor& gradient, const Tensor& dy, Grads& grads) {
  const auto classes = gradient.shape().back();
  dispatch_real(op, dy.dtype(), [&]<class T>() {
    const T *g = rows::of<T>(gradient).data(), *d = rows::of<T>(dy).data();
    T* dx = grads.into<T>(0).data();
    for (std::int64_t b = 0; b < steps.batch(); ++b) {
      const auto row = chains::row_of(dy, b);
      if (row < 0) continue;
      const auto at = steps.first[b] * classes, end = at + steps.length[b] * classes;
      for (auto i = at; i < end; ++i) dx[i] += d[row] * g[i];
    }
  });
}

}  // namespace

Tensor ctc_negative_log_likelihood(const Tensor& labels, const Tensor& logits, std::int64_t blank,
                                   Infeasible infeasible) {
  check_call(labels, logits, blank);
  if (labels.is_meta() || logits.is_meta()) {
    const Tensor& masked = labels.has_mask() && labels.mask().rank() < 2 ? labels : logits;
    return rows::make_meta({logits.shape()[0]}, logits.dtype(), chains::kept_meta(op, masked));
  }
  const Batch batch{labels.value(), logits.value(), blank, chains::Steps(labels),
                    chains::Steps(logits)};
  const auto there = feasible(batch, infeasible);
  const Tensor& masked = labels.has_mask() && labels.mask().rank() < 2 ? labels : logits;
  const Tensor y = rows::make({there.size()}, logits.dtype(), chains::kept(op, masked, there));
  Tensor gradient;
  if (tape::any_on_tape({logits})) {
    gradient = rows::make(logits.shape(), logits.dtype(), logits.mask());
  }
  dispatch_real(op, logits.dtype(), [&]<class T>() { run<T>(batch, y, gradient); });
  return record(op, y, {logits},
                [gradient, steps = batch.of_steps](const Tensor& dy, Grads& grads) {
                  backward(steps, gradient, dy, grads);
                });
}

}  // namespace maskgrad
