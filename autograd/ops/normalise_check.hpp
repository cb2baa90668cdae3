#pragma once

#include <string_view>

#include <maskgrad/autograd/ops/normalise.hpp>

namespace maskgrad::check {

/// OptionError, TypeError, ShapeError or MaskError where x, epsilon and the affine do not fit.
void normalise(std::string_view op, const Tensor& x, double epsilon, const Affine& affine);

}  // namespace maskgrad::check
