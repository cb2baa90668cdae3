#include <maskgrad/core/output.hpp>

#include <ostream>

#include <maskgrad/core/rows.hpp>

namespace maskgrad {
namespace {

/// The truth values as a tensor, without the mask's own name behind them.
std::string bits_text(const Mask& mask) {
  const Tensor bits = rows::make_zeros(mask.shape(), DType::boolean);
  const auto to = rows::of_mutable<bool>(bits);
  for (const auto position : mask.impl().positions) to[static_cast<std::size_t>(position)] = true;
  const std::string all = bits.str();
  return all.substr(0, all.rfind('\n'));
}

}  // namespace

std::string text_of(const Mask& mask) {
  if (!mask) return "no mask";
  if (masks::is_meta(mask)) return fmt::format("mask{} made by {}", mask.shape(), mask.origin());
  return fmt::format("{}\nmask{}, {} valid, made by {}", bits_text(mask), mask.shape(),
                     mask.valid(), mask.origin());
}

std::ostream& operator<<(std::ostream& out, const Tensor& x) {
  return out << x.str();
}
std::ostream& operator<<(std::ostream& out, const Mask& mask) {
  return out << text_of(mask);
}

}  // namespace maskgrad

fmt::format_context::iterator fmt::formatter<maskgrad::Tensor>::format(
    const maskgrad::Tensor& x, fmt::format_context& ctx) const {
  return fmt::formatter<std::string_view>::format(x.str(), ctx);
}
fmt::format_context::iterator fmt::formatter<maskgrad::Mask>::format(
    const maskgrad::Mask& mask, fmt::format_context& ctx) const {
  return fmt::formatter<std::string_view>::format(maskgrad::text_of(mask), ctx);
}
