#pragma once

#include <string_view>

#include <maskgrad/core/tensor.hpp>

namespace maskgrad::detail {

/// An initial state as the sequences of x have it: gathered under its mask [batch] (`samples`),
/// else dense. MaskError, naming `what`, where its mask leaves out a sequence.
Tensor initial_state(std::string_view op, std::string_view what, const Tensor& state,
                     const Tensor& x, const Mask& samples);

/// x under the mask of `other` too.
Tensor under_both(const Tensor& x, const Tensor& other);

}  // namespace maskgrad::detail
