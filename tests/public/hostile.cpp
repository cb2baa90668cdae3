#include "hostile.hpp"

namespace maskgrad::tests {

Calls combined(const std::vector<Values>& arguments, const Erased& call) {
  std::size_t all = 1;
  for (const auto& values : arguments) all *= values.size();
  constexpr std::size_t most = 400;
  const std::size_t step = all <= most ? 1 : all / most | 1;
  const auto kept = std::make_shared<const std::vector<Values>>(arguments);
  Calls calls;
  for (std::size_t at = 0; at < all; at += step) {
    calls.push_back([=] {
      std::vector<const void*> given;
      std::size_t left = at;
      for (const auto& values : *kept) {
        given.push_back(values[left % values.size()].get());
        left /= values.size();
      }
      call(given.data());
    });
  }
  return calls;
}

}  // namespace maskgrad::tests
