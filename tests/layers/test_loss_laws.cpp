#include <doctest/doctest.h>

#include <algorithm>

#include <maskgrad/layers/factory.hpp>

#include "autograd/case_checks.hpp"
#include "layers/loss_cases.hpp"

namespace maskgrad::tests {

TEST_SUITE("laws") {
  TEST_CASE("every loss keeps the laws in f64") {
    for (const auto& c : loss_cases()) check_laws(c, DType::f64);
  }
  TEST_CASE("no padding reaches a bit of any loss in f32") {
    for (const auto& c : loss_cases()) check_laws(c, DType::f32);
  }
}

TEST_SUITE("gradients") {
  TEST_CASE("every loss's gradients equal differences, with and without masks") {
    for (const auto& c : loss_cases()) check_gradients(c);
  }
}

TEST_SUITE("coverage") {
  TEST_CASE("every loss of the library has a case") {
    const auto cases = loss_cases();
    for (const auto name : loss_names()) {
      const bool there =
          std::any_of(cases.begin(), cases.end(), [&](const OpCase& c) { return c.op == name; });
      CHECK_MESSAGE(there, name, " has no row in tests/layers/loss_cases.cpp");
    }
  }
}

}  // namespace maskgrad::tests
