#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// The rows of a table that the ids name: y[..., :] = table[ids[...], :].
/// Shapes:   table [n, ...], ids of any shape, i64 -> ids.shape + table.shape[1:].
/// Mask:     that of the ids; the table has none.
/// Gradient: of the table: each row adds the dy of its ids, in their order.
/// Throws:   IndexError for an id below 0 or not below n; MaskError for a masked table.
/// Example:  mg::take(mg::zeros({9, 8}), ids);  // [4, 5, 8]
Tensor take(const Tensor& table, const Tensor& ids);

/// The values at an index along one inner axis: y[i, j, k] = x[i, index[i, j, k], k] for axis 1.
/// Shapes:   index has the sizes of x but on `axis`; the result has those of the index.
/// Mask:     the AND of both; `axis` must be an inner axis.
/// Gradient: of x: each value adds the dy of its indices, in their order.
/// Throws:   IndexError, ShapeError, TypeError; MaskError for a mask axis.
/// Example:  mg::take_along_axis(x, mg::argmax(x, -1, true), 2);  // [4, 5, 1]
Tensor take_along_axis(const Tensor& x, const Tensor& index, int axis);

/// The inverse of take_along_axis: x with updates[i, j, k] added at [i, index[i, j, k], k].
/// Shapes:   index and updates have one shape, with the sizes of x but on `axis`.
/// Mask:     the AND of all three; `axis` must be an inner axis.
/// Gradient: of x: dy; of the updates: dy where they were added.
/// Throws:   as take_along_axis.
/// Example:  mg::scatter_add(x, mg::argmax(x, -1, true), mg::ones({4, 5, 1}), 2);  // [4, 5, 3]
Tensor scatter_add(const Tensor& x, const Tensor& index, const Tensor& updates, int axis);

/// The inverse of take: the table with each row of `values` added to the row its id names.
/// Shapes:   table [n, ...], ids of any shape, values ids.shape + table.shape[1:].
/// Mask:     ends: where ids or values are not valid, nothing is added. It covers axes of the ids.
/// Gradient: of the table: dy; of the values: the rows of dy that the ids name.
/// Throws:   as take; MaskError where a mask covers more axes than the ids have.
/// Example:  mg::add_at(mg::zeros({9, 3}), ids, x);  // [9, 3]
Tensor add_at(const Tensor& table, const Tensor& ids, const Tensor& values);

/// 1 at the id's place of a new last axis, 0 elsewhere; no gradient.
/// Shapes:   ids of any shape, i64 -> ids.shape + [classes].
/// Mask:     that of the ids. Throws: IndexError for an id below 0 or not below `classes`.
/// Example:  mg::one_hot(labels, 3);  // [4, 5, 3] under the mask of labels
Tensor one_hot(const Tensor& ids, std::int64_t classes, DType dtype = DType::f32);

}  // namespace maskgrad
