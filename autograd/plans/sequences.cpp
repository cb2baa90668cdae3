#include <maskgrad/autograd/plans/sequences.hpp>

namespace maskgrad {
namespace {

/// The mask over steps; null where there is none.
const Mask::Impl* step_mask(const Tensor& x) {
  return rows::mask_rank(x) >= 2 ? &x.mask().impl() : nullptr;
}

}  // namespace

Sequences sequences_of(const Tensor& x) {
  if (const auto* mask = step_mask(x)) return {mask->first, mask->length, mask->valid};
  const auto batch = rows::count(x) * x.shape().count(rows::mask_rank(x), 1), time = x.shape()[1];
  Sequences s{extend::Index(batch), extend::Index(batch), batch * time};
  for (std::int64_t i = 0; i < batch; ++i) {
    s.first[i] = i * time;
    s.length[i] = time;
  }
  return s;
}

Sequences samples_of(const Tensor& x) {
  const Sequences there = sequences_of(x);
  const auto batch = x.shape()[0];
  if (there.count() == batch) return there;
  // Under a mask [batch] some are, under [] none.
  const auto* row_of = there.count() > 0 ? x.mask().impl().row_of().data() : nullptr;
  Sequences all{extend::Index(batch), extend::Index(batch), there.rows};
  for (std::int64_t b = 0; b < batch; ++b) {
    const auto s = row_of ? row_of[b] : -1;
    all.first[b] = s < 0 ? -1 : there.first[s];
    all.length[b] = s < 0 ? 0 : there.length[s];
  }
  return all;
}

extend::Index step_of_rows(const Tensor& x) {
  const auto* mask = step_mask(x);
  const auto time = x.shape()[1];
  extend::Index step(rows::count(x) * x.shape().count(rows::mask_rank(x), 2));
  for (std::int64_t r = 0; r < step.size(); ++r) step[r] = (mask ? mask->positions[r] : r) % time;
  return step;
}

Mask sample_mask(const Tensor& x) {
  return step_mask(x) ? Mask() : x.mask();
}

}  // namespace maskgrad
