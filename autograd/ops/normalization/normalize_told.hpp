#pragma once

#include <maskgrad/autograd/extend.hpp>

/// The gradients of normalizations as operations: what their second derivatives are made of.
namespace maskgrad::normalization {

/// What a cell is divided by, and whether its mean is taken off before.
enum class By { variance, mean_square, length };

/// A call: each group of a position's features by itself, of whole sequences together where
/// `over_time`.
struct Told {
  By by;
  std::int64_t groups;
  bool over_time;
  double epsilon;
};

/// Adds the gradients of x, gamma and beta, in this order.
void tell(const Told& call, const Tensor& dy, const Tensor& x, const Tensor& gamma, Adjoint& grads);

}  // namespace maskgrad::normalization
