#include <doctest/doctest.h>

#include "case_checks.hpp"

namespace maskgrad::tests::test_gradients {

TEST_SUITE("gradients") {
  TEST_CASE("every operation's gradients equal differences, with and without masks") {
    for (const auto& c : op_cases()) check_gradients(c);
  }
}

}  // namespace maskgrad::tests::test_gradients
