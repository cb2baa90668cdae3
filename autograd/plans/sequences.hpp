#pragma once

#include <maskgrad/core/rows.hpp>

namespace maskgrad {

/// Where the sequences of a tensor [batch, time, ...] stand under a mask [batch, time], [batch] or
/// [], or under none. A sequence is its valid steps in order, as rows one behind the other.
struct Sequences {
  extend::Index first;   ///< of each sequence its first row; -1 where its sample is not valid
  extend::Index length;  ///< its steps
  std::int64_t rows = 0;
  std::int64_t count() const { return first.size(); }
  bool there(std::int64_t s) const { return first[s] >= 0; }
};

/// The sequences that are there: of a valid sample each, as its results are stored.
Sequences sequences_of(const Tensor& x);
/// A sequence for each sample of the batch, there or not.
Sequences samples_of(const Tensor& x);
/// The step at which each row stands, counted with the padding.
extend::Index step_of_rows(const Tensor& x);
/// The mask of x where it is one over samples, [batch] or []; none where it is over steps.
Mask sample_mask(const Tensor& x);

}  // namespace maskgrad
