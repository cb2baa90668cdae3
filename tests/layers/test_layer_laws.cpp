#include <doctest/doctest.h>

#include <algorithm>

#include <maskgrad/layers/registry/registry.hpp>

#include "autograd/case_checks.hpp"
#include "layers/layer_cases.hpp"

namespace maskgrad::tests::test_layer_laws {

TEST_SUITE("laws") {
  TEST_CASE("every layer keeps the laws in f64") {
    for (const auto& c : layer_cases()) check_laws(c, DType::f64);
  }
  TEST_CASE("no padding reaches a bit of any layer in f32") {
    for (const auto& c : layer_cases(DType::f32)) check_laws(c, DType::f32);
  }
}

TEST_SUITE("gradients") {
  TEST_CASE("every layer's gradients equal differences, with and without masks") {
    for (const auto& c : layer_cases()) check_gradients(c);
  }
}

TEST_SUITE("second_derivatives") {
  TEST_CASE("every layer's second derivatives equal differences, with and without masks") {
    for (const auto& c : layer_cases()) check_gradients(c, 2);
  }
}

TEST_SUITE("second_laws") {
  TEST_CASE("every layer keeps the laws in its second derivative") {
    int checked = 0;
    for (const auto& c : layer_cases()) checked += check_second_laws(c);
    CHECK(checked > 200);
  }
}

TEST_SUITE("coverage") {
  TEST_CASE("every layer of the library has a case") {
    const auto cases = layer_cases();
    for (const auto& layer : builtin_layers()) {
      const bool there = std::any_of(cases.begin(), cases.end(),
                                     [&](const OpCase& c) { return c.op == layer.kind; });
      CHECK_MESSAGE(there, layer.kind, " has no row in tests/layers/cases_*.cpp");
    }
  }
}

}  // namespace maskgrad::tests::test_layer_laws
