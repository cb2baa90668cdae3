#pragma once

#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/layers/layer/streaming.hpp>

/// Results over all steps of a sequence, of which a stream has given the first ones: what came
/// before and what comes now are put together.
namespace maskgrad::detail {

/// `now` where it is valid, else `before`, which may be undefined; valid where one of the two is.
Tensor newest(const Tensor& now, const Tensor& before);
/// The greater of the two where both are valid.
Tensor greatest(const Tensor& now, const Tensor& before);
/// The mean of x over its steps and those before, by their sum and number in the slot.
Tensor mean_so_far(extend::StreamSlot& slot, const Tensor& x, bool keepdims);

/// Softmax's mean over all steps, of that over these, `now` [sequences, heads, dim], and that over
/// those before: each counts by its sum of exponentials, whose log is `log_sum` [sequences, heads].
Tensor weighted_so_far(extend::StreamSlot& slot, const Tensor& now, const Tensor& log_sum);

/// The valid steps of each sequence that were pushed before those of x; empty outside of a push.
std::vector<std::int64_t> steps_before(const Tensor& x);
/// The position of each valid step of x in its sequence, from `start`, counted on from the steps that
/// were pushed before.
Tensor positions_so_far(const Tensor& x, std::int64_t start);

/// While one lives, noise of x is drawn for its steps as behind those that were pushed before.
class NoiseSoFar {
 public:
  explicit NoiseSoFar(const Tensor& x);

 private:
  std::vector<std::int64_t> before_;
  extend::NoiseBehind noise_;
};

/// Inside of a push the result of `merge(now, before)`, which the slot keeps; else `now`.
template <class Merge>
Tensor so_far(const Tensor& x, const Tensor& now, Merge&& merge) {
  auto* slot = extend::stream_slot(x);
  if (!slot) return now;
  const Tensor before = slot->tensors.empty() ? Tensor() : slot->tensors[0];
  slot->tensors = {before.defined() ? merge(now, before) : now};
  return slot->tensors[0];
}

}  // namespace maskgrad::detail
