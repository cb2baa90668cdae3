#include <maskgrad/autograd/ops/loss/ctc.hpp>

#include <algorithm>

#include <maskgrad/autograd/ops/loss/ctc_walk.hpp>
#include <maskgrad/autograd/ops/loss/paths.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/core/kernels/selected.hpp>

namespace maskgrad {
namespace {

using sequence_dp::CtcSample;
using sequence_dp::CtcWalk;
using sequence_dp::log_of_0;

constexpr std::string_view ctc_negative_log_likelihood_op = "ctc_negative_log_likelihood";

void check_call(const Tensor& labels, const Tensor& logits, std::int64_t blank) {
  check::ids(ctc_negative_log_likelihood_op, labels);
  check::real(ctc_negative_log_likelihood_op, logits);
  check::rank(ctc_negative_log_likelihood_op, labels, 2, "[batch, label]");
  check::rank(ctc_negative_log_likelihood_op, logits, 3, "[batch, time, classes]");
  check::inner_axis(ctc_negative_log_likelihood_op, logits, -1, "mask whole steps");
  if (!fits(labels.shape()[0], logits.shape()[0])) {
    fail<ShapeError>(ctc_negative_log_likelihood_op,
                     "labels {} for logits {}; expected the same batch", labels.describe(),
                     logits.describe());
  }
  const auto classes = logits.shape().back();
  if (blank >= 0 && (classes == any || blank < classes)) return;
  fail<OptionError>(ctc_negative_log_likelihood_op,
                    "the blank is class {} of logits {}; expected 0 to classes - 1", blank,
                    logits.describe());
}

/// Where each sample's labels and steps are.
struct Batch {
  Tensor labels, logits;
  std::int64_t blank;
  Sequences of_labels, of_steps;

  std::int64_t classes() const { return logits.shape().back(); }
  std::int64_t work() const { return rows::total(logits) + 4 * rows::total(labels); }
  template <Real T>
  CtcSample<T> sample(std::int64_t b) const {
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
      fail<IndexError>(ctc_negative_log_likelihood_op,
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
  Pooled<std::uint8_t> there(batch.of_steps.count());
  for (std::int64_t b = 0; b < there.size(); ++b) {
    const auto steps = batch.of_steps.length[b], labels = batch.of_labels.length[b];
    there[b] = steps > 0 && batch.of_labels.there(b);
    if (!there[b]) continue;
    const auto least = needed(batch, b);
    if (least <= steps) continue;
    there[b] = 0;
    ++skipped;
    if (infeasible == Infeasible::skip) continue;
    fail<ShapeError>(ctc_negative_log_likelihood_op,
                     "sequence {} has {} valid steps for {} labels, which take {} (one each, and "
                     "one between equal neighbors); give it more steps, or leave such sequences "
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
  sequence_dp::over_samples(
      there.size(), batch.work(), [&](std::int64_t, std::int64_t from, std::int64_t end) {
        CtcWalk walk;
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
    fail<ShapeError>(ctc_negative_log_likelihood_op,
                     "sequence {} cannot have its {} labels: logits of -infinity forbid every way "
                     "through its {} valid steps; give it labels that are not forbidden, or leave "
                     "such sequences out with skip_infeasible",
                     b, batch.of_labels.length[b], batch.of_steps.length[b]);
  }
}

void backward(const Sequences& steps, const Tensor& gradient, const Tensor& dy, Grads& grads) {
  const auto classes = gradient.shape().back();
  dispatch_real(ctc_negative_log_likelihood_op, dy.dtype(), [&]<class T>() {
    const T *g = rows::of<T>(gradient).data(), *d = rows::of<T>(dy).data();
    const auto dx = grads.target<T>(0);
    sequence_dp::over_samples(steps.count(), rows::total(gradient),
                              [&](std::int64_t, std::int64_t from, std::int64_t to) {
                                for (auto b = from; b < to; ++b) {
                                  const auto row = sequence_dp::row_of(dy, b);
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
  const Tensor& masked = sample_mask(labels) ? labels : logits;
  if (labels.is_meta() || logits.is_meta()) {
    return {rows::make_meta({logits.shape()[0]}, logits.dtype(),
                            sequence_dp::kept_meta(ctc_negative_log_likelihood_op, masked)),
            0};
  }
  const Batch batch{labels.value(), logits.value(), blank, samples_of(labels), samples_of(logits)};
  std::int64_t skipped = 0;
  auto there = feasible(batch, infeasible, skipped);
  Tensor gradient;
  if (tape::any_on_tape({logits})) {
    gradient = rows::make(logits.shape(), logits.dtype(), logits.mask());
  }
  const Tensor y = dispatch_real(ctc_negative_log_likelihood_op, logits.dtype(), [&]<class T>() {
    const auto losses = run<T>(batch, there, gradient);
    check_walks(batch, losses, infeasible, there, skipped);
    const Tensor all = rows::make({there.size()}, logits.dtype(),
                                  sequence_dp::kept(ctc_negative_log_likelihood_op, masked, there));
    T* to = rows::of_mutable<T>(all).data();
    for (std::int64_t b = 0; b < there.size(); ++b) {
      if (there[b]) *to++ = static_cast<T>(losses[b]);
    }
    return all;
  });
  return {record(ctc_negative_log_likelihood_op, y, {logits},
                 [gradient, batch, x = Saved(logits)](const Tensor& dy, auto& grads) {
                   if constexpr (is_adjoint<decltype(grads)>) {
                     const Tensor losses =
                         sequence_dp::ctc_by_steps(batch.of_labels, batch.of_steps, batch.labels,
                                                   grads.input(0, x), batch.blank);
                     grads.through(dy.has_mask() ? with_mask(losses, dy.mask()) : losses);
                   } else {
                     backward(batch.of_steps, gradient, dy, grads);
                   }
                 }),
          skipped};
}

}  // namespace maskgrad
