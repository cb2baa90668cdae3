#include <maskgrad/autograd/ops/loss/crf.hpp>

#include <algorithm>

#include <maskgrad/autograd/ops/loss/crf_chain.hpp>
#include <maskgrad/autograd/ops/loss/crf_checks.hpp>
#include <maskgrad/autograd/ops/loss/paths.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>

namespace maskgrad {
namespace {

using sequence_dp::Chain;
using sequence_dp::check_chain;
using sequence_dp::Odds;

constexpr std::string_view crf_negative_log_likelihood_op = "crf_negative_log_likelihood";

template <Real T>
Chain<T> chain(const Sequences& steps, const Tensor& x, const Tensor& transitions, std::int64_t b) {
  const auto tags = x.shape().back();
  return {rows::of<T>(x).data() + steps.first[b] * tags, rows::of<T>(transitions).data(),
          steps.length[b], tags};
}

std::int64_t work_of(const Tensor& x) {
  return rows::total(x) * x.shape().back();
}

void check_tags(const Tensor& ids, const Tensor& x) {
  const auto tags = x.shape().back();
  for (const auto id : rows::of<std::int64_t>(ids)) {
    if (id >= 0 && id < tags) continue;
    fail<IndexError>(crf_negative_log_likelihood_op, "a tag of {} is {}; expected 0 to {}",
                     ids.describe(), id, tags - 1);
  }
}

/// -infinity forbids tags and transitions; where it forbids every path there is no likelihood.
void check_paths(const Pooled<double>& total, const Sequences& steps) {
  for (std::int64_t b = 0; b < steps.count(); ++b) {
    if (steps.length[b] < 1 || total[b] != sequence_dp::log_of_0) continue;
    fail<OptionError>(
        crf_negative_log_likelihood_op,
        "sequence {} has no likelihood: potentials and transitions of -infinity forbid "
        "every path through its {} valid steps; expected one at least that is "
        "allowed. Use a low number in place of -infinity, or leave the sequence out",
        b, steps.length[b]);
  }
}

/// What backward needs of a call.
struct Kept {
  Tensor ids;
  Sequences steps;
  Pooled<double> alpha, total;  // as x; [batch]
  Odds odds;
};

template <Real T>
void forward(Kept& kept, const Tensor& x, const Tensor& transitions, const Tensor& y) {
  const auto tags = x.shape().back();
  const auto* ids = rows::of<std::int64_t>(kept.ids).data();
  T* to = rows::of_mutable<T>(y).data();
  kept.odds = Odds(rows::of<T>(transitions).data(), tags);
  sequence_dp::over_samples(
      kept.steps.count(), work_of(x), [&](std::int64_t, std::int64_t from, std::int64_t end) {
        Pooled<double> workspace(2 * tags);
        for (auto b = from; b < end; ++b) {
          const auto row = sequence_dp::row_of(y, b), first = kept.steps.first[b];
          if (row < 0) continue;
          const auto c = chain<T>(kept.steps, x, transitions, b);
          kept.total[b] = c.forward(kept.odds, kept.alpha.data() + first * tags, workspace.data());
          to[row] = static_cast<T>(kept.total[b] - c.score(ids + first));
        }
      });
}

template <Real T>
void backward(const Kept& kept, const Tensor& x, const Tensor& transitions, const Tensor& dy,
              Grads& grads) {
  const auto tags = x.shape().back(), pairs = tags * tags;
  const auto parts = sequence_dp::shards(kept.steps.count(), work_of(x));
  Pooled<double> sums(grads.wants(1) ? parts * pairs : 0);
  std::fill(sums.begin(), sums.end(), 0);
  T* dx = grads.wants(0) ? grads.into<T>(0).data() : nullptr;
  const T* d = rows::of<T>(dy).data();
  const auto* ids = rows::of<std::int64_t>(kept.ids).data();
  sequence_dp::over_samples(
      kept.steps.count(), work_of(x), [&](std::int64_t s, std::int64_t from, std::int64_t end) {
        Pooled<double> workspace(5 * tags);
        for (auto b = from; b < end; ++b) {
          const auto row = sequence_dp::row_of(dy, b), first = kept.steps.first[b];
          if (row < 0 || d[row] == 0) continue;
          chain<T>(kept.steps, x, transitions, b)
              .backward(kept.odds, kept.alpha.data() + first * tags, kept.total[b], ids + first,
                        d[row], dx ? dx + first * tags : nullptr,
                        sums.empty() ? nullptr : sums.data() + s * pairs, workspace.data());
        }
      });
  if (!grads.wants(1)) return;
  T* to = grads.into<T>(1).data();
  for (std::int64_t i = 0; i < sums.size(); ++i) to[i % pairs] += static_cast<T>(sums[i]);
}

}  // namespace

Tensor crf_negative_log_likelihood(const Tensor& tags, const Tensor& potentials,
                                   const Tensor& transitions) {
  check::ids(crf_negative_log_likelihood_op, tags);
  check_chain(crf_negative_log_likelihood_op, potentials, transitions);
  if (!fits(tags.shape(), potentials.shape().sub(0, 2))) {
    fail<ShapeError>(crf_negative_log_likelihood_op,
                     "tags {} for potentials {}; expected [batch, time] and [batch, time, tags]",
                     tags.describe(), potentials.describe());
  }
  const Tensor x = tags.has_mask() ? with_mask(potentials, tags.mask()) : potentials;
  const auto batch = x.shape()[0];
  if (x.is_meta() || tags.is_meta()) {
    return rows::make_meta({batch}, x.dtype(),
                           sequence_dp::kept_meta(crf_negative_log_likelihood_op, x));
  }
  Kept kept{x.has_mask() ? with_mask(tags, x.mask()) : tags,
            samples_of(x),
            Pooled<double>(rows::total(x)),
            Pooled<double>(batch),
            {}};
  check_tags(kept.ids, x);
  Pooled<std::uint8_t> there(batch);
  for (std::int64_t b = 0; b < batch; ++b) there[b] = kept.steps.length[b] > 0;
  const Tensor y =
      rows::make({batch}, x.dtype(), sequence_dp::kept(crf_negative_log_likelihood_op, x, there));
  dispatch_real(crf_negative_log_likelihood_op, x.dtype(),
                [&]<class T>() { forward<T>(kept, x, transitions, y); });
  check_paths(kept.total, kept.steps);
  return record(crf_negative_log_likelihood_op, y, {x, transitions},
                [kept, x = Saved(x), w = Saved(transitions)](const Tensor& dy, auto& grads) {
                  if constexpr (is_adjoint<decltype(grads)>) {
                    const Tensor losses = sequence_dp::crf_by_steps(
                        kept.steps, kept.ids, grads.input(0, x), grads.input(1, w));
                    grads.through(dy.has_mask() ? with_mask(losses, dy.mask()) : losses);
                  } else {
                    dispatch_real(crf_negative_log_likelihood_op, dy.dtype(), [&]<class T>() {
                      backward<T>(kept, x.get(), w.get(), dy, grads);
                    });
                  }
                });
}

Tensor crf_decode(const Tensor& potentials, const Tensor& transitions) {
  constexpr std::string_view where = "crf_decode";
  check_chain(where, potentials, transitions);
  const Tensor& x = potentials;
  const Shape shape = x.shape().sub(0, 2);
  if (x.is_meta()) return rows::make_meta(shape, DType::i64, x.mask());
  const Tensor y = rows::make(shape, DType::i64, x.mask());
  const Sequences steps = samples_of(x);
  sequence_dp::check_scores(where, x, transitions, steps);
  auto* to = rows::of_mutable<std::int64_t>(y).data();
  dispatch_real(where, x.dtype(), [&]<class T>() {
    sequence_dp::over_samples(steps.count(), work_of(x),
                              [&](std::int64_t, std::int64_t from, std::int64_t end) {
                                const auto tags = x.shape().back();
                                Pooled<double> best(2 * tags);
                                Pooled<std::int32_t> origin(x.shape()[1] * tags);
                                for (auto b = from; b < end; ++b) {
                                  if (steps.length[b] < 1) continue;
                                  chain<T>(steps, x, transitions, b)
                                      .decode(to + steps.first[b], best.data(), origin.data());
                                }
                              });
  });
  return y;
}

}  // namespace maskgrad
