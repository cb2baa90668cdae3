#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <maskgrad/core/tensor.hpp>

namespace maskgrad::detail {

/// Keras's noise_shape: for each axis -1 (in JSON null) or its size, 1 where all of it gets the
/// same noise. None: each value its own.
using NoiseShape = std::optional<std::vector<std::int64_t>>;

/// Whether all steps of a sequence get the same noise. OptionError where `noise_shape` does not fit
/// x, or shares another axis than that of the steps.
bool shares_steps(const NoiseShape& noise_shape, const Tensor& x);

}  // namespace maskgrad::detail
