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

TEST_SUITE("second_laws") {
  TEST_CASE("every operation keeps the laws in its second derivative") {
    int checked = 0;
    for (const auto& c : op_cases()) checked += check_second_laws(c);
    CHECK(checked > 200);
  }
}

}  // namespace maskgrad::tests::test_laws
