#include <doctest/doctest.h>

#include "case_checks.hpp"

namespace maskgrad::tests::test_laws {

TEST_SUITE("laws") {
  TEST_CASE("every operation keeps the laws in f64") {
    for (const auto& c : op_cases()) check_laws(c, DType::f64);
  }
  TEST_CASE("no padding reaches a bit of any operation in f32") {
    for (const auto& c : op_cases()) check_laws(c, DType::f32);
  }
}

}  // namespace maskgrad::tests::test_laws
