#pragma once

#include <maskgrad/autograd/ops/normalization/normalize_cells.hpp>
#include <maskgrad/autograd/ops/normalization/normalize_told.hpp>

namespace maskgrad::normalization {

/// A call, and the mean and scale of each of its cells.
struct Normalized {
  const Cells& cells;
  By by;
  const Tensor &mean, &scale, &x, &gamma;
};

/// The second derivative, cell by cell; false, and nothing done, by the length and where something
/// is not finite: that is told as operations.
bool second(const Normalized& call, Second& second);

}  // namespace maskgrad::normalization
