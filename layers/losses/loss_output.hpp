#pragma once

#include <iosfwd>

#include <fmt/format.h>

#include <maskgrad/layers/losses/loss.hpp>

namespace maskgrad {

/// The value, then what it is over: `0.25: mean_squared_error (mean over 13 positions)`.
std::ostream& operator<<(std::ostream& out, const Loss& loss);

}  // namespace maskgrad

template <>
struct fmt::formatter<maskgrad::Loss> : fmt::formatter<std::string_view> {
  fmt::format_context::iterator format(const maskgrad::Loss& loss, fmt::format_context& ctx) const;
};
