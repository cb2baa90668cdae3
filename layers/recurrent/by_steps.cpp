#include <maskgrad/layers/recurrent/by_steps.hpp>

#include <algorithm>
#include <memory>
#include <numeric>

#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/autograd/ops/concatenate.hpp>
#include <maskgrad/autograd/ops/gather.hpp>
#include <maskgrad/autograd/ops/mask_ops.hpp>
#include <maskgrad/autograd/ops/moves.hpp>
#include <maskgrad/autograd/ops/permute.hpp>
#include <maskgrad/autograd/ops/select_where.hpp>
#include <maskgrad/autograd/ops/slice.hpp>
#include <maskgrad/core/null_function.hpp>

namespace maskgrad {
namespace {

/// Where a sequence has a last output: it has a step.
Mask has_steps(const Tensor& x) {
  if (x.has_mask() && x.mask().rank() == 2) return masks::any_over(x.mask(), 1U << 1, false);
  if (x.has_mask() || x.shape()[1] != 0) return x.mask();
  return Mask::keep(std::vector<bool>(static_cast<std::size_t>(x.shape()[0])), {x.shape()[0]});
}

bool samples_masked(const Tensor& x) {
  return x.has_mask() && x.mask().rank() == 1;
}

}  // namespace

Tensor last_output(const Tensor& x, const Tensor& state) {
  const Mask there = has_steps(x);
  if (!there || (!masks::is_meta(there) && there.all_valid() && !state.has_mask())) return state;
  return with_mask(state, there);
}

Tensor first_state(const Tensor& x, const Tensor& given, std::int64_t units) {
  const Tensor s = given.defined() ? given : zeros({x.shape()[0], units}, x.dtype());
  return samples_masked(x) ? with_mask(s, x.mask()) : s;
}

namespace {

constexpr std::string_view op = "run_by_steps";

/// The valid steps of masked sequences in the order in which they run: step k of all sequences that
/// have one, the longest first, so that those that go on stand in front at each step.
struct Schedule {
  Schedule(const Mask& mask, bool backwards);

  Index order;                       ///< the sequences
  std::vector<std::int64_t> active;  ///< sequences that have a step k
  Index rows, places;                ///< the stored row of each step in order; and the inverse
};

Schedule::Schedule(const Mask& mask, bool backwards)
    : order(mask.shape()[0]), rows(mask.valid()), places(mask.valid()) {
  const auto &first = mask.impl().first, &length = mask.impl().length;
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return length[a] > length[b]; });
  for (std::int64_t k = 0, at = 0, n = order.size(); at < rows.size(); ++k) {
    while (length[order[n - 1]] <= k) --n;
    active.push_back(n);
    for (std::int64_t i = 0; i < n; ++i, ++at) {
      const auto sequence = order[i];
      rows[at] = first[sequence] + (backwards ? length[sequence] - 1 - k : k);
      places[rows[at]] = at;
    }
  }
}

Tensor ids_of(const Index& index) {
  return tensor(std::vector<std::int64_t>(index.begin(), index.end()), {index.size()});
}

/// Rows of `x` [n, ...] in the order of the ids.
Tensor ordered(const Tensor& x, const Index& ids) {
  return take(x, ids_of(ids));
}

Index inverse(const Index& order) {
  Index back(order.size());
  for (std::int64_t i = 0; i < order.size(); ++i) back[order[i]] = i;
  return back;
}

/// The states of all sequences, in the schedule's order: those that end first are cut off behind.
class States {
 public:
  States(Tensors now, std::int64_t sequences)
      : now_(std::move(now)), ended_(now_.size()), count_(sequences) {}

  /// Those of the first n sequences.
  const Tensors& of(std::int64_t n) {
    for (std::size_t i = 0; n < count_ && i < now_.size(); ++i) {
      ended_[i].push_back(slice(now_[i], 0, n, count_));
      now_[i] = slice(now_[i], 0, 0, n);
    }
    count_ = n;
    return now_;
  }
  void move(Tensors next) { now_ = std::move(next); }
  /// Those of every sequence when it ended.
  Tensors all() const {
    Tensors joined;
    for (std::size_t i = 0; i < now_.size(); ++i) {
      Tensors parts{now_[i]};
      parts.insert(parts.end(), ended_[i].rbegin(), ended_[i].rend());
      joined.push_back(parts.size() > 1 ? concatenate(parts, 0) : parts[0]);
    }
    return joined;
  }

 private:
  Tensors now_;
  std::vector<Tensors> ended_;
  std::int64_t count_;
};

/// Runs each step for the sequences that have it alone, as a batch without a mask.
SteppedResult run_valid_steps(const Tensor& x, const Tensors& states, bool backwards,
                              const StepFunction& step) {
  const Schedule plan(x.mask(), backwards);
  auto samples = std::make_shared<NoiseSamples>();
  samples->outer = noise_position().samples;
  samples->order = plan.order;
  const NoiseSamplesScope scope(samples);
  const auto valid = plan.rows.size();
  const Tensor steps = moves::take_rows(op, x, plan.rows, Shape{valid} + rows::inner_shape(x), {});
  Tensors first, outputs;
  for (const auto& s : states) first.push_back(ordered(s, plan.order));
  States now(std::move(first), plan.order.size());
  std::int64_t at = 0;
  const NoiseOfSteps noise;
  for (const auto n : plan.active) {
    noise.again();
    const Tensors next = step(slice(steps, 0, at, at + n), now.of(n));
    at += n;
    outputs.push_back(next[0]);
    now.move({next.begin() + 1, next.end()});
  }
  const Tensor all = concatenate(outputs, 0);
  const Shape shape = x.shape().sub(0, 2) + all.shape().sub(1, all.rank());
  const Tensor grouped = moves::regroup(op, all, shape, x.mask());
  SteppedResult result{moves::take_rows(op, grouped, plan.places, shape, x.mask()), {}};
  for (const auto& s : now.all()) result.states.push_back(ordered(s, inverse(plan.order)));
  return result;
}

/// Whether the mask says of each step whether it is there, some are, and the states are of all
/// sequences.
bool has_valid_steps(const Tensor& x, const Tensors& states) {
  const bool dense =
      std::none_of(states.begin(), states.end(), [](const Tensor& s) { return s.has_mask(); });
  return dense && x.has_mask() && x.mask().rank() == 2 && x.mask().valid() > 0;
}

}  // namespace

SteppedResult run_by_steps(const Tensor& x, Tensors states, bool backwards,
                           const StepFunction& step) {
  detail::require_function("run_by_steps", step);
  if (has_valid_steps(x, states)) return run_valid_steps(x, states, backwards, step);
  const auto time = x.shape()[1];
  Tensors outputs(static_cast<std::size_t>(time));
  const NoiseOfSteps noise;
  for (std::int64_t k = 0; k < time; ++k) {
    noise.again();
    const auto t = backwards ? time - 1 - k : k;
    const Tensors next = step(select(x, 1, t), states);
    outputs[static_cast<std::size_t>(t)] = next[0];
    for (std::size_t i = 0; i < states.size(); ++i) states[i] = or_else(next[i + 1], states[i]);
  }
  if (!samples_masked(x)) return {stack(outputs, 1), std::move(states)};
  // Under a mask [batch] time is an inner axis: it must not join the mask.
  return {permute(stack(outputs, 2), {0, 2, 1}), std::move(states)};
}

}  // namespace maskgrad
