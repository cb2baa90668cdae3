#include <doctest/doctest.h>

#include "op_cases.hpp"

namespace maskgrad::tests {

TEST_SUITE("laws") {
  TEST_CASE("every operation keeps the laws in f64") {
    for (const auto& c : op_cases()) {
      const auto report = check_mask_laws(c.f, law_inputs(c), c.contract, c.laws);
      CHECK_MESSAGE(static_cast<bool>(report), c.title(), ": ", report.str());
    }
  }

  TEST_CASE("no padding reaches a bit of any operation in f32") {
    for (const auto& c : op_cases()) {
      auto options = c.laws;
      options.dtype = DType::f32;
      const auto report = check_mask_laws(c.f, law_inputs(c), c.contract, options);
      CHECK_MESSAGE(static_cast<bool>(report), c.title(), ": ", report.str());
    }
  }
}

}  // namespace maskgrad::tests
