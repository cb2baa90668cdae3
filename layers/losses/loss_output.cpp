#include <maskgrad/layers/losses/loss_output.hpp>

#include <ostream>

namespace maskgrad {
namespace {

std::string value_and_terms(const Loss& loss) {
  // Without a reduction there is no one value.
  const bool one = loss.terms().front().reduction != Reduction::none;
  return one ? fmt::format("{:.6g}: {}", loss.value(), loss.str()) : loss.str();
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Loss& loss) {
  return out << value_and_terms(loss);
}

}  // namespace maskgrad

fmt::format_context::iterator fmt::formatter<maskgrad::Loss>::format(
    const maskgrad::Loss& loss, fmt::format_context& ctx) const {
  return fmt::formatter<std::string_view>::format(maskgrad::value_and_terms(loss), ctx);
}
