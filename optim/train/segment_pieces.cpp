#include <maskgrad/optim/train/segment_pieces.hpp>

#include <algorithm>

#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/layers/layer/streaming.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::string_view in_segments = "train_step";

bool has_steps(const Tensor& x) {
  return x.has_mask() && x.mask().rank() == 2;
}

/// x under a mask over its steps: the one of `like` where it has none of its own.
Tensor as_steps(const Tensor& x, const Mask& like) {
  return has_steps(x) || !like ? x : with_mask(x, like);
}

Tensor as_input(const Tensor& x) {
  if (x.rank() >= 2 && !x.has_mask()) {
    const Segments::Counts lengths(static_cast<std::size_t>(x.shape()[0]), x.shape()[1]);
    return with_mask(x, Mask::from_lengths(lengths, x.shape()[1]));
  }
  if (has_steps(x)) return x;
  fail<OptionError>(in_segments,
                    "the input {} with .segment; expected [batch, time, ...], under a mask "
                    "[batch, time] or none",
                    x.describe());
}

}  // namespace

Segments::Segments(const Batch& batch, std::int64_t steps) : batch_(batch), steps_(steps) {
  for (const auto& x : batch.inputs) inputs_.push_back(as_input(x));
  lengths_ = inputs_[0].mask().lengths();
  for (const auto& x : inputs_) {
    if (x.mask().lengths() == lengths_) continue;
    fail<OptionError>(in_segments,
                      "inputs {} and {} with .segment; expected sequences of the same lengths",
                      inputs_[0].describe(), x.describe());
  }
  const auto longest = lengths_.empty() ? 0 : *std::max_element(lengths_.begin(), lengths_.end());
  count_ = std::max<std::int64_t>(1, (longest + steps - 1) / steps);
}

Tensors Segments::inputs(std::int64_t k) const {
  Counts first(lengths_.size()), size(lengths_.size());
  for (std::size_t s = 0; s < lengths_.size(); ++s) {
    first[s] = std::min(lengths_[s], k * steps_);
    size[s] = std::min(steps_, lengths_[s] - first[s]);
  }
  Tensors pieces;
  for (const auto& x : inputs_) pieces.push_back(steps_of(x, first, size));
  return pieces;
}

std::vector<bool> Segments::ends(std::int64_t k) const {
  std::vector<bool> all;
  for (const auto length : lengths_) all.push_back(length <= (k + 1) * steps_);
  return all;
}

Batch Segments::part(Tensors inputs, const Tensors& outputs, bool by_steps,
                     const Counts& given) const {
  Batch part;
  part.inputs = std::move(inputs);
  part.samples = batch_.samples;
  part.target = by_steps ? piece(batch_.target, outputs[0], given) : batch_.target;
  part.weight = by_steps && batch_.weight.defined() && batch_.weight.rank() > 1
                    ? piece(batch_.weight, outputs[0], given)
                    : batch_.weight;
  return part;
}

/// The steps of a target, or of weights, that stand where those of y do.
Tensor Segments::piece(const Tensor& x, const Tensor& y, const Counts& given) const {
  if (!x.defined()) return x;
  const Mask& own = inputs_[0].mask();
  const bool fits = x.rank() >= 2 && (has_steps(x) || x.shape().sub(0, 2) == own.shape());
  if (!fits) {
    fail<OptionError>(in_segments,
                      "the target is {} with .segment, and the model gives {}; expected a "
                      "target for each step",
                      x.describe(), y.describe());
  }
  const Tensor steps = as_steps(x, own);
  auto size = y.mask().lengths(), there = steps.mask().lengths();
  for (std::size_t s = 0; s < size.size(); ++s) {
    size[s] = std::clamp<std::int64_t>(there[s] - given[s], 0, size[s]);
  }
  return steps_of(steps, given, size);
}

}  // namespace maskgrad::detail
