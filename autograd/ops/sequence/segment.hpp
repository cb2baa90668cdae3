#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

// Reductions of the steps of each sequence by the segment that an id names.
// Shapes:   x [batch, time, ...], ids [batch, time] i64, of the n segments 0 to n - 1 ->
//           [batch, n, ...].
// Mask:     consumes [batch, time]: a step counts where x and its id are valid, other ids are not
//           read. A mask [batch] alone stays. What a segment without steps does not have gets a
//           mask [batch, n], which is dropped where it would be all true.
// Throws:   ShapeError, TypeError, OptionError for n below 1, IndexError for an id of no segment,
//           with its position; MaskError for a mask over further axes.

/// The sum of a segment's steps; of nothing 0. Gradient: dy of the step's segment.
/// Example:  mg::segment_sum(x, ids, 9);  // [4, 9, 3]
Tensor segment_sum(const Tensor& x, const Tensor& ids, std::int64_t n);
/// sum / count; of nothing it does not exist. Gradient: dy / count.
/// Example:  mg::segment_mean(x, ids, 9);  // [4, 9, 3] under a mask [4, 9]
Tensor segment_mean(const Tensor& x, const Tensor& ids, std::int64_t n);
/// The greatest value, NaN where there is one; of nothing it does not exist. Gradient: dy, in equal
/// parts to all that are greatest, as max.
/// Example:  mg::segment_max(x, ids, 9);
Tensor segment_max(const Tensor& x, const Tensor& ids, std::int64_t n);
/// The least value, as segment_max.
/// Example:  mg::segment_min(x, ids, 9);
Tensor segment_min(const Tensor& x, const Tensor& ids, std::int64_t n);

}  // namespace maskgrad
