#include <maskgrad/layers/layer/stream_rows.hpp>

#include <algorithm>

#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/autograd/ops/shape/rearrange.hpp>
#include <maskgrad/core/error.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/layers/layer/streaming.hpp>

namespace maskgrad::detail {
namespace {

/// So many steps of each sequence, as long as the longest; an axis of one step stays, which may
/// stand for all steps.
Mask steps_like(const Tensor& x, const std::vector<std::int64_t>& lengths) {
  const auto longest = lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
  return Mask::from_lengths(lengths,
                            x.shape()[1] == 1 ? std::max<std::int64_t>(1, longest) : longest);
}

}  // namespace

Tensor cleared(const Tensor& kept, const std::vector<bool>& sequences) {
  std::vector<bool> stay(sequences);
  stay.flip();
  const int mask_rank = rows::mask_rank(kept);
  if (mask_rank < 2) {
    const Tensor rest = with_mask(kept, Mask::keep(stay, {std::ssize(stay)}));
    return mask_rank == 0 ? rest.drop_mask("a new sequence") : rest;
  }
  const auto time = kept.shape()[1];
  std::vector<std::int64_t> lengths(stay.size());
  for (std::size_t s = 0; s < stay.size(); ++s) lengths[s] = stay[s] ? time : 0;
  return with_mask(kept, Mask::from_lengths(lengths, time));
}

Tensor reordered(const Tensor& kept, const std::vector<std::int64_t>& from) {
  const Tensor order = tensor(from, {std::ssize(from)});
  if (rows::mask_rank(kept) == 0) return take(kept, order);
  if (rows::mask_rank(kept) == 1) {
    std::vector<bool> valid;
    for (const auto s : from) valid.push_back(kept.mask().at({s}));
    const Tensor dense = take(kept.drop_mask("reordered"), order);
    return with_mask(dense, Mask::keep(valid, {std::ssize(valid)}));
  }
  const auto& steps = kept.mask().impl();
  const auto lengths = kept.mask().lengths();
  std::vector<std::int64_t> count;
  for (const auto s : from) count.push_back(lengths[static_cast<std::size_t>(s)]);
  const Mask mask = steps_like(kept, count);
  extend::Index rows_taken(mask.valid());
  std::int64_t row = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    for (std::int64_t k = 0; k < count[i]; ++k) rows_taken[row++] = steps.first[from[i]] + k;
  }
  const Shape shape = mask.shape() + kept.shape().sub(2, kept.rank());
  return rearrange::take_rows("reorder", kept, rows_taken, shape, mask);
}

bool are_alike(const Tensors& parts) {
  const Tensor& a = parts[0];
  const int mask_rank = rows::mask_rank(a);
  if (a.rank() == 0 || mask_rank > 2) return false;
  return std::all_of(parts.begin() + 1, parts.end(), [&](const Tensor& b) {
    if (a.dtype() != b.dtype() || a.rank() != b.rank() || mask_rank != rows::mask_rank(b)) {
      return false;
    }
    for (int axis = 1; axis < a.rank(); ++axis) {
      const bool time = axis == 1 && mask_rank == 2;
      if (!time && a.shape()[axis] != b.shape()[axis]) return false;
    }
    return true;
  });
}

Tensor one_behind_other(const Tensors& parts) {
  if (rows::mask_rank(parts[0]) < 2) return concatenate(parts, 0);
  std::vector<std::int64_t> lengths;
  Tensors stored;
  for (const auto& x : parts) {
    const auto more = x.mask().lengths();
    lengths.insert(lengths.end(), more.begin(), more.end());
    stored.push_back(rows::stored(x.value()));
  }
  const Mask mask = steps_like(parts[0], lengths);
  const Shape shape = mask.shape() + parts[0].shape().sub(2, parts[0].rank());
  return rows::share(concatenate(stored, 0), shape, mask);
}

Tensors put_together(const std::vector<Tensors>& pushes, bool so_far) {
  Tensors results = pushes.back();  // so far: the newest of every sequence
  for (std::size_t i = 0; i < results.size() && !so_far; ++i) {
    if (rows::mask_rank(results[i]) > 2) {
      fail<OptionError>("Stream, push",
                        "output {} is {}, of pairs of steps, which are not put together with "
                        ".batch_invariant; leave it out of the model or the option away",
                        i, results[i].describe());
    }
    if (rows::mask_rank(results[i]) != 2) continue;
    Tensors parts;
    for (const auto& push : pushes) parts.push_back(push[i]);
    const Tensor all = concatenate(parts, 1);
    const auto lengths = all.mask().lengths();
    results[i] = steps_of(all, std::vector<std::int64_t>(lengths.size()), lengths);
  }
  return results;
}

}  // namespace maskgrad::detail
