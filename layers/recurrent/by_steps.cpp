#include <maskgrad/layers/recurrent/by_steps.hpp>

#include <maskgrad/autograd/ops/concatenate.hpp>
#include <maskgrad/autograd/ops/mask_ops.hpp>
#include <maskgrad/autograd/ops/permute.hpp>
#include <maskgrad/autograd/ops/select_where.hpp>
#include <maskgrad/autograd/ops/slice.hpp>

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

SteppedResult run_by_steps(const Tensor& x, Tensors states, bool backwards,
                           const StepFunction& step) {
  const auto time = x.shape()[1];
  Tensors outputs(static_cast<std::size_t>(time));
  for (std::int64_t k = 0; k < time; ++k) {
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
