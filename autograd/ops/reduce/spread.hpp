#pragma once

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/plans/reduced.hpp>

/// A reduction's two directions, of which the gradients of reductions are made: the values that
/// meet in a result added up, and a result's value at each of those. Each is the other's gradient.
namespace maskgrad::reduce {

/// Of each result the sum of its values in `x`, or their mean.
Tensor sums(const Reduced& r, const Tensor& x, bool mean = false);
/// For each value its result in `y`, or, of a mean, its share of it; 0 where it is in none.
Tensor spread(const Reduced& r, const Tensor& y, bool mean = false);

}  // namespace maskgrad::reduce
