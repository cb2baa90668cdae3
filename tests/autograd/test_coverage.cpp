#include <doctest/doctest.h>

#include "declared_ops.hpp"
#include "op_cases.hpp"

namespace maskgrad::tests::test_coverage {

TEST_SUITE("coverage") {
  TEST_CASE("every operation has a case") {
    std::set<std::string> covered;
    for (const auto& c : op_cases()) covered.insert(c.op);
    const auto declared = declared_ops();
    CHECK(declared.size() > 20);  // else the headers read differently than this test thinks
    std::string missing, unknown;
    for (const auto& name : declared) {
      if (!covered.count(name)) missing += " " + name;
    }
    for (const auto& name : covered) {
      if (!declared.count(name)) unknown += " " + name;
    }
    CHECK_MESSAGE(missing.empty(),
                  "operations without a case in tests/autograd/cases_*.cpp:", missing);
    CHECK_MESSAGE(unknown.empty(), "cases that name no operation of autograd/ops:", unknown);
  }

  TEST_CASE("cases have titles of their own") {
    std::set<std::string> titles;
    for (const auto& c : op_cases()) CHECK_MESSAGE(titles.insert(c.title()).second, c.title());
  }
}

}  // namespace maskgrad::tests::test_coverage
