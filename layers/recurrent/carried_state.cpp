#include <maskgrad/layers/recurrent/carried_state.hpp>

#include <fmt/format.h>

#include <maskgrad/autograd/checkpoint.hpp>
#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/layers/layer/layer.hpp>

namespace maskgrad::detail {

Tensors CarriedState::begin(std::int64_t batch) const {
  if (!states_.empty() && states_[0].shape()[0] != batch) {
    fail<ShapeError>(detail::layer_title(),
                     "the state carried from the batch before is of {} samples, this batch has {}; "
                     "keep the batch size, or call reset_state() first",
                     states_[0].shape()[0], batch);
  }
  return states_;
}

void CarriedState::keep(const Tensors& states) {
  if (detail::checkpoint_call() != detail::CheckpointCall::none) {
    fail<StateError>(
        detail::layer_title(),
        "it carries its state from batch to batch and is called in a checkpoint, whose "
        "second call would begin with another state; give the state as an argument "
        "(initial_state), or leave the layer outside");
  }
  const NoGrad no_grad;
  Tensors next;
  for (std::size_t i = 0; i < states.size(); ++i) {
    const Tensor& s = states[i];
    const Tensor before = states_.empty() ? zeros(s.shape(), s.dtype()) : states_[i];
    next.push_back(s.has_mask() ? or_else(s.value(), before) : s.value());
  }
  states_ = std::move(next);
}

std::string CarriedState::trouble_with(const Tensors& states, DType dtype) const {
  if (states.empty()) return {};  // none yet
  if (!sizes_.empty() && states.size() != sizes_.size()) {
    return fmt::format("it has {} states; expected {}", states.size(), sizes_.size());
  }
  for (std::size_t i = 0; i < states.size(); ++i) {
    const Tensor& s = states[i];
    const bool shaped = s.rank() == 2 && (sizes_.empty() || s.shape()[1] == sizes_[i]);
    if (shaped && s.shape()[0] == states[0].shape()[0] && s.dtype() == dtype) continue;
    return fmt::format("state {} is {}; expected {}[batch, {}], all of one batch", i, s.describe(),
                       name(dtype), sizes_.empty() ? "size" : std::to_string(sizes_[i]));
  }
  return {};
}

void CarriedState::reset(std::string_view where, const std::vector<std::int64_t>& samples) {
  if (states_.empty()) return;
  const auto batch = states_[0].shape()[0];
  std::vector<bool> begins(static_cast<std::size_t>(batch));
  for (const auto sample : samples) {
    if (sample < 0 || sample >= batch) {
      fail<IndexError>(where, "sample {} is to be reset, of a batch of {}", sample, batch);
    }
    begins[static_cast<std::size_t>(sample)] = true;
  }
  const NoGrad no_grad;
  const Mask stays = Mask::drop(begins, {batch});
  for (auto& s : states_) s = or_else(with_mask(s, stays), zeros(s.shape(), s.dtype()));
}

}  // namespace maskgrad::detail
