#include <cstring>

#include <maskgrad/core/rows.hpp>
#include <maskgrad/optim/data/views.hpp>

namespace maskgrad::data {

Tensor NextStepSource::input_of(const Batch& batch) const {
  if (input_ >= batch.inputs.size()) {
    fail<OptionError>("Dataset::next_step", "input {} of {}; expected one that is there", input_,
                      batch.inputs.size());
  }
  const Tensor& x = batch.inputs[input_];
  if (x.has_mask() && x.mask().rank() == 2) return x;
  fail<MaskError>("Dataset::next_step",
                  "input {} is {}; expected steps under a mask [sequences, time]", input_,
                  x.describe());
}

/// The step before each piece that has one, a row each; undefined where none has.
Tensor NextStepSource::steps_before(std::span<const Piece> pieces) const {
  std::vector<Piece> before;
  for (const auto& p : pieces) {
    if (p.first > 0 && p.steps > 0) before.push_back({p.sample, p.first - 1, 1});
  }
  return before.empty() ? Tensor() : input_of(base().read(before));
}

Batch NextStepSource::read(std::span<const Piece> pieces) const {
  Batch batch = base().read(pieces);
  const Tensor x = input_of(batch);
  const Tensor before = steps_before(pieces);
  Tensor y = rows::make(x.shape(), x.dtype(), x.mask());
  const auto bytes = static_cast<std::size_t>(rows::inner(x)) * size_of(x.dtype());
  const auto* from = x.impl().storage.data();
  auto* to = y.impl().storage.data();
  const auto* earlier = before.defined() ? before.impl().storage.data() : nullptr;
  for (const auto& p : pieces) {
    if (p.steps == 0) continue;
    if (p.first > 0) {
      std::memcpy(to, earlier, bytes);
      earlier += bytes;
    } else {
      std::memset(to, 0, bytes);
    }
    const auto steps = static_cast<std::size_t>(p.steps);
    std::memcpy(to + bytes, from, (steps - 1) * bytes);
    from += steps * bytes;
    to += steps * bytes;
  }
  batch.target = x;
  batch.inputs[input_] = y;
  return batch;
}

}  // namespace maskgrad::data
