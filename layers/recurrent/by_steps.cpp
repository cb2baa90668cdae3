#include <maskgrad/layers/recurrent/by_steps.hpp>

#include <algorithm>
#include <memory>
#include <numeric>

#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/autograd/ops/shape/permute.hpp>
#include <maskgrad/autograd/ops/shape/rearrange.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/core/null_function.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::string_view run_by_steps_op = "run_by_steps";

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
Tensors run_valid_steps(const Tensor& x, const Tensors& states, bool backwards,
                        const StepFunction& step) {
  const Schedule plan(x.mask(), backwards);
  auto samples = std::make_shared<extend::NoiseSamples>();
  samples->outer = extend::NoiseSamplesScope::current();
  samples->order = plan.order;
  const extend::NoiseSamplesScope scope(samples);
  const auto valid = plan.rows.size();
  const Tensor steps =
      rearrange::take_rows(run_by_steps_op, x, plan.rows, Shape{valid} + rows::inner_shape(x), {});
  Tensors first, outputs;
  for (const auto& s : states) first.push_back(ordered(s, plan.order));
  States now(std::move(first), plan.order.size());
  std::int64_t at = 0;
  const extend::NoiseOfSteps noise;
  for (const auto n : plan.active) {
    noise.again();
    const Tensors next = step(slice(steps, 0, at, at + n), now.of(n));
    at += n;
    outputs.push_back(next[0]);
    now.move({next.begin() + 1, next.end()});
  }
  const Tensor all = concatenate(outputs, 0);
  const Shape shape = x.shape().sub(0, 2) + all.shape().sub(1, all.rank());
  const Tensor grouped = rearrange::regroup(run_by_steps_op, all, shape, x.mask());
  Tensors results{rearrange::take_rows(run_by_steps_op, grouped, plan.places, shape, x.mask())};
  for (const auto& s : now.all()) results.push_back(ordered(s, inverse(plan.order)));
  return results;
}

/// Where no step can run: what it would give for the first one says the shape of the output.
Tensors without_steps(const Tensor& x, Tensors states, const StepFunction& step) {
  const Mask samples =
      x.has_mask() ? masks::meta(x.mask().shape().sub(0, 1), x.mask().origin()) : Mask();
  Tensors before;
  for (const auto& s : states) before.push_back(rows::make_meta(s.shape(), s.dtype(), s.mask()));
  const Shape row = x.shape().sub(0, 1) + x.shape().sub(2, x.rank());
  const Shape out = step(rows::make_meta(row, x.dtype(), samples), before)[0].shape();
  const Shape all = x.shape().sub(0, 2) + out.sub(1, out.rank());
  states.insert(states.begin(), x.is_meta() ? rows::make_meta(all, x.dtype(), x.mask())
                                            : rows::make_zeros(all, x.dtype(), x.mask()));
  return states;
}

/// Whether the mask says of each step whether it is there, some are, and the states are of all
/// sequences.
bool has_valid_steps(const Tensor& x, const Tensors& states) {
  const bool dense =
      std::none_of(states.begin(), states.end(), [](const Tensor& s) { return s.has_mask(); });
  return dense && x.has_mask() && x.mask().rank() == 2 && x.mask().valid() > 0;
}

}  // namespace

Tensors run_by_steps(const Tensor& x, Tensors states, bool backwards, const StepFunction& step) {
  detail::require_function("run_by_steps", step);
  const auto time = x.shape()[1];
  if (x.is_meta() || time == 0) return without_steps(x, std::move(states), step);
  if (has_valid_steps(x, states)) return run_valid_steps(x, states, backwards, step);
  Tensors outputs(static_cast<std::size_t>(time));
  const extend::NoiseOfSteps noise;
  for (std::int64_t k = 0; k < time; ++k) {
    noise.again();
    const auto t = backwards ? time - 1 - k : k;
    const Tensors next = step(select(x, 1, t), states);
    outputs[static_cast<std::size_t>(t)] = next[0];
    for (std::size_t i = 0; i < states.size(); ++i) states[i] = or_else(next[i + 1], states[i]);
  }
  // Under a mask [batch] time is an inner axis: it must not join the mask.
  const bool samples = x.has_mask() && x.mask().rank() == 1;
  states.insert(states.begin(),
                samples ? permute(stack(outputs, 2), {0, 2, 1}) : stack(outputs, 1));
  return states;
}

}  // namespace maskgrad::detail
