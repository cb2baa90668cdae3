#include <maskgrad/autograd/ops/loss/paths.hpp>

#include <algorithm>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/loss/sequence_dp.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/reduce/softmax.hpp>
#include <maskgrad/autograd/ops/sequence/padded_steps.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>

namespace maskgrad::sequence_dp {
namespace {

Tensor step(const Tensor& padded, std::int64_t t) {
  return squeeze(slice(padded, 1, t, t + 1), 1);
}

/// The score of each sample's own path.
Tensor score_of(const PaddedSteps& padded, const Sequences& steps, const Tensor& ids,
                const Tensor& x, const Tensor& transitions) {
  constexpr std::string_view op = "crf";
  const auto tags = x.shape().back(), pairs = tags * tags;
  const Tensor own = take_along_axis(x, expand_dims(ids, -1), -1);
  const Tensor of_steps = sum(padded.of(op, own), {1, 2});
  const Tensor pair_ids = rows::make({padded.count(), padded.longest()}, DType::i64);
  auto* to = rows::of_mutable<std::int64_t>(pair_ids).data();
  std::fill_n(to, rows::total(pair_ids), pairs);  // a 0 behind all transitions
  const auto* id = rows::of<std::int64_t>(ids).data();
  for (std::int64_t b = 0; b < padded.count(); ++b) {
    for (std::int64_t t = 1; t < steps.length[b]; ++t) {
      const auto row = steps.first[b] + t;
      to[b * padded.longest() + t] = id[row - 1] * tags + id[row];
    }
  }
  const Tensor flat = reshape(transitions, {pairs});
  const Tensor links = take(concatenate({flat, zeros({1}, x.dtype())}, 0), pair_ids);
  return of_steps + sum(links, {1});
}

}  // namespace

Tensor crf_by_steps(const Sequences& steps, const Tensor& ids, const Tensor& x,
                    const Tensor& transitions) {
  const PaddedSteps padded(steps);
  if (padded.longest() == 0) return zeros({padded.count()}, x.dtype());
  const Tensor all = padded.of("crf", x);
  Tensor alpha = step(all, 0);
  for (std::int64_t t = 1; t < padded.longest(); ++t) {
    const Tensor next = logsumexp(expand_dims(alpha, 2) + transitions, {1}) + step(all, t);
    alpha = where(padded.alive(t), next, alpha);
  }
  return logsumexp(alpha, {1}) - score_of(padded, steps, ids, x, transitions);
}

namespace {

/// The states of ctc, [batch, states]: blanks with the labels between them.
struct States {
  States(const Sequences& labels, const Tensor& ids, std::int64_t blank, std::int64_t batch);

  std::int64_t count = 1;
  Tensor classes;      ///< of each state
  Tensor begin, skip;  ///< of bool: where a path may begin, and whether it may leave a blank out
  Tensor last, two;    ///< the last state but one and the last; of bool: whether there are two
};

States::States(const Sequences& labels, const Tensor& ids, std::int64_t blank, std::int64_t batch) {
  std::int64_t most = 0;
  for (const auto n : labels.length) most = std::max(most, n);
  count = 2 * most + 1;
  classes = rows::make({batch, count}, DType::i64);
  begin = rows::make_zeros({batch, count}, DType::boolean);
  skip = rows::make_zeros({batch, count}, DType::boolean);
  last = rows::make({batch, 2}, DType::i64);
  two = rows::make_zeros({batch, 2}, DType::boolean);
  auto* c = rows::of_mutable<std::int64_t>(classes).data();
  auto* l = rows::of_mutable<std::int64_t>(last).data();
  bool *b = rows::of_mutable<bool>(begin).data(), *s = rows::of_mutable<bool>(skip).data();
  bool* t = rows::of_mutable<bool>(two).data();
  std::fill_n(c, batch * count, blank);
  const auto* id = rows::of<std::int64_t>(ids).data();
  for (std::int64_t i = 0; i < batch; ++i) {
    const auto n = labels.length[i];
    const auto* own = id + std::max<std::int64_t>(labels.first[i], 0);
    for (std::int64_t k = 0; k < n; ++k) {
      c[i * count + 2 * k + 1] = own[k];
      s[i * count + 2 * k + 1] = k > 0 && own[k] != own[k - 1];
    }
    b[i * count] = true;
    if (n > 0) b[i * count + 1] = true;
    l[2 * i] = std::max<std::int64_t>(2 * n - 1, 0);
    l[2 * i + 1] = 2 * std::max<std::int64_t>(n, 0);
    t[2 * i] = n > 0;
    t[2 * i + 1] = true;
  }
}

}  // namespace

Tensor ctc_by_steps(const Sequences& of_labels, const Sequences& of_steps, const Tensor& labels,
                    const Tensor& logits, std::int64_t blank) {
  const auto type = logits.dtype();
  const PaddedSteps padded(of_steps);
  const auto batch = padded.count();
  if (padded.longest() == 0) return zeros({batch}, type);
  const States states(of_labels, labels, blank, batch);
  const Tensor all = padded.of("ctc", log_softmax(logits)), nothing = scalar(log_of_0, type);
  // alpha moved to the states `by` further on.
  const auto moved = [&](const Tensor& alpha, std::int64_t by) {
    if (by >= states.count) return full({batch, states.count}, log_of_0, type);
    return concatenate({full({batch, by}, log_of_0, type), slice(alpha, 1, 0, states.count - by)},
                       1);
  };
  Tensor alpha;
  for (std::int64_t t = 0; t < padded.longest(); ++t) {
    const Tensor read = take_along_axis(step(all, t), states.classes, 1);
    if (t == 0) {
      alpha = where(states.begin, read, nothing);
      continue;
    }
    const Tensor skipped = where(states.skip, moved(alpha, 2), nothing);
    const Tensor next = logaddexp(logaddexp(alpha, moved(alpha, 1)), skipped) + read;
    alpha = where(padded.alive(t), next, alpha);
  }
  const Tensor ends = where(states.two, take_along_axis(alpha, states.last, 1), nothing);
  return -logsumexp(ends, {1});
}

}  // namespace maskgrad::sequence_dp
