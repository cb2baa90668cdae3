#pragma once

#include <span>
#include <string>
#include <string_view>

namespace maskgrad {

/// For a name that is unknown: `did you mean 'glorot_uniform'? There are: zeros, ones, ...`.
std::string nearest_hint(std::string_view name, std::span<const std::string_view> known);

}  // namespace maskgrad
