#pragma once

#include <iosfwd>
#include <string>

#include <fmt/format.h>

#include <maskgrad/core/tensor.hpp>

/// Tensors and masks as text, for std::cout and fmt: as `x.str()`, the middle of long axes left out.
namespace maskgrad {

/// A mask's truth values, then its shape, valid positions and where it was made.
/// Example:  mg::text_of(steps);  // [[true true true true true] ... mask[4, 5], 13 valid ...
std::string text_of(const Mask& mask);

/// The same, to a stream.
std::ostream& operator<<(std::ostream& out, const Tensor& x);
std::ostream& operator<<(std::ostream& out, const Mask& mask);

}  // namespace maskgrad

template <>
struct fmt::formatter<maskgrad::Tensor> : fmt::formatter<std::string_view> {
  fmt::format_context::iterator format(const maskgrad::Tensor& x, fmt::format_context& ctx) const;
};
template <>
struct fmt::formatter<maskgrad::Mask> : fmt::formatter<std::string_view> {
  fmt::format_context::iterator format(const maskgrad::Mask& mask, fmt::format_context& ctx) const;
};
