#include <maskgrad/layers/recurrent/recurrence.hpp>

#include <algorithm>
#include <functional>

#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/sequence/sequence.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/layers/layer/so_far.hpp>

namespace maskgrad::detail {
namespace {

/// Where a sequence has a last output: it has a step.
Mask has_steps(const Tensor& x) {
  if (x.has_mask() && x.mask().rank() == 2) return masks::any_over(x.mask(), 1U << 1, false);
  if (x.has_mask() || x.shape()[1] != 0) return x.mask();
  return Mask::keep(std::vector<bool>(static_cast<std::size_t>(x.shape()[0])), {x.shape()[0]});
}

/// The last output, which is there where a sequence has a step: `state` under that mask.
Tensor last_state(const Tensor& x, const Tensor& state) {
  const Mask there = has_steps(x);
  if (!there || (!masks::is_meta(there) && there.all_valid() && !state.has_mask())) return state;
  return with_mask(state, there);
}

/// The output of the step that ran last in each sequence.
Tensor last_output(const Tensor& x, const Tensor& output, bool backwards) {
  if (x.has_mask() && x.mask().rank() == 2) {
    return backwards ? first_valid(output) : last_valid(output);
  }
  const auto time = output.shape()[1];
  if (time != 0) return select(output, 1, backwards ? 0 : -1);
  return last_state(x, zeros({output.shape()[0], output.shape()[2]}, output.dtype()));
}

bool of_context(const Tensors& states) {
  return std::all_of(states.begin(), states.end(), [](const Tensor& s) {
    return !s.defined() || StreamRun::current()->is_context(s);
  });
}

/// Puts what the slot kept in place of the states; sequences that begin keep those given.
void kept_states(extend::StreamSlot& slot, Tensors& states) {
  const auto begins = std::exchange(slot.begins, {});
  for (std::size_t i = 0; i < states.size(); ++i) {
    const Tensor& kept = slot.tensors[i];
    if (!begins.empty() && states[i].defined()) {
      const Tensor anew = tensor(begins, {std::ssize(begins), 1});
      states[i] = where(anew, states[i], kept);
    } else {
      states[i] = kept;
    }
  }
}

}  // namespace

Tensors Recurrence::first_states(const Tensor& x, Tensors states, extend::StreamSlot* slot) const {
  const auto& sizes = carried_.sizes();
  const auto batch = x.shape()[0];
  if (states.size() > sizes.size()) {
    fail<ShapeError>(layer_title(), "{} inputs; expected x and up to {} initial states",
                     1 + states.size(), sizes.size());
  }
  const bool given = std::any_of(states.begin(), states.end(), std::mem_fn(&Tensor::defined));
  if (given && slot && !of_context(states)) {
    fail<ShapeError>(layer_title(),
                     "initial states are given in a stream, which keeps its own; call it with x "
                     "alone, or make them of the stream's .context");
  }
  if (!given && options_.stateful && !x.is_meta()) states = carried_.begin(batch);
  states.resize(sizes.size());
  if (slot && !slot->tensors.empty()) {
    if (slot->tensors.size() < sizes.size()) refuse_kept();
    kept_states(*slot, states);
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const Shape expected{batch, sizes[i]};
    if (!states[i].defined() || fits(states[i].shape(), expected)) continue;
    fail<ShapeError>(layer_title(), "initial state {} is {}; expected {}", i, states[i].describe(),
                     expected);
  }
  return states;
}

Tensors Recurrence::made_states(const Tensor& x, Tensors states) const {
  const bool samples = x.has_mask() && x.mask().rank() == 1;
  for (std::size_t i = 0; i < states.size(); ++i) {
    Tensor& s = states[i];
    const Shape shape{x.shape()[0], carried_.sizes()[i]};
    if (!s.defined()) {
      s = x.is_meta() ? rows::make_meta(shape, x.dtype(), Mask()) : zeros(shape, x.dtype());
    }
    if (samples) s = with_mask(s, x.mask());
  }
  return states;
}

Tensors Recurrence::outputs(const Tensor& x, Tensors results, bool output_is_state,
                            bool with_states, extend::StreamSlot* slot) {
  Tensor last_before;
  if (slot && slot->tensors.size() == results.size()) last_before = slot->tensors.back();
  if (slot) slot->tensors.assign(results.begin() + 1, results.end());
  if (options_.stateful && !x.is_meta()) carried_.keep({results.begin() + 1, results.end()});
  if (!options_.return_sequences) {
    results[0] = output_is_state ? last_state(x, results[1])
                                 : last_output(x, results[0], options_.go_backwards);
    if (slot) {
      results[0] = newest(results[0], last_before);
      slot->tensors.push_back(results[0]);
    }
  } else if (options_.go_backwards != flipped_) {
    // Steps stand at their own positions; Keras's order is that in which they ran.
    results[0] = reverse(results[0]);
  }
  if (!with_states) results.resize(1);
  return results;
}

Recurrence Recurrence::mirrored() const {
  RNNOptions options = options_;
  options.go_backwards = !options.go_backwards;
  Recurrence other(std::move(options), carried_.sizes());
  other.flipped_ = !flipped_;
  return other;
}

TimeContract Recurrence::time() const {
  if (options_.go_backwards) {
    return TimeContract::whole("it runs from the last step to the first", ".go_backwards = false");
  }
  if (options_.stateful) {
    return TimeContract::whole("it is stateful: its state goes from batch to batch already",
                               ".stateful = false, as a stream keeps the state");
  }
  TimeContract time = recurrent_time;
  time.so_far = !options_.return_sequences;
  return time;
}

MaskContract Recurrence::contract() const {
  MaskContract contract = recurrent_contract;
  contract.after = {};  // the role says it, now that it is known
  if (options_.return_sequences) {
    contract.why = "runs each sequence's valid steps in order";
  } else {
    contract.role = MaskRole::consumes;
    contract.why = "gives the output of each sequence's last valid step";
  }
  return contract;
}

}  // namespace maskgrad::detail
