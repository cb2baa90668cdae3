#pragma once

#include <maskgrad/core/rows.hpp>

namespace maskgrad {

/// A tensor [batch, time, ...] as sequences of rows: by its mask [batch, time], else every step of
/// every sequence (of every valid one, under a mask [batch], or of all or none under a mask []).
struct Sequences {
  Index first, length;  ///< of each sequence: its first row, its steps
  std::int64_t rows = 0;
  std::int64_t count() const { return first.size(); }
};

inline Sequences sequences_of(const Tensor& x) {
  const auto* mask = x.has_mask() ? &x.mask().impl() : nullptr;
  if (mask && x.mask().rank() >= 2) return {mask->first, mask->length, mask->valid};
  const auto batch = rows::count(x) * x.shape().count(rows::mask_rank(x), 1), time = x.shape()[1];
  Sequences s{Index(batch), Index(batch), batch * time};
  for (std::int64_t i = 0; i < batch; ++i) {
    s.first[i] = i * time;
    s.length[i] = time;
  }
  return s;
}

}  // namespace maskgrad
