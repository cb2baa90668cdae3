#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include "op_cases.hpp"

namespace maskgrad::tests {
namespace {

/// Functions without a case of their own, and why.
const std::map<std::string, std::string> exempt{{"unary", "makes the unary operations"}};

/// The functions that give tensors and are declared directly in namespace maskgrad: those that
/// users call. Operators stand for the function that they call.
std::set<std::string> declared_in(const std::filesystem::path& header) {
  static const std::regex opened(R"(^(inline )?namespace ([\w:]*) ?\{)");
  static const std::regex closed(R"(^\}  // namespace)");
  static const std::regex function(
      R"(^(inline )?(Tensor|std::vector<Tensor>|\w+Result|std::pair<Tensor, Tensor>) (\w+)\()");
  std::set<std::string> names;
  std::vector<std::string> inside;
  std::ifstream file(header);
  for (std::string line; std::getline(file, line);) {
    std::smatch found;
    if (std::regex_search(line, found, opened)) inside.push_back(found[2]);
    if (std::regex_search(line, closed) && !inside.empty()) inside.pop_back();
    if (inside == std::vector<std::string>{"maskgrad"} &&
        std::regex_search(line, found, function)) {
      names.insert(found[3]);
    }
  }
  return names;
}

}  // namespace

TEST_SUITE("coverage") {
  TEST_CASE("every operation has a case") {
    std::set<std::string> covered;
    for (const auto& c : op_cases()) covered.insert(c.op);
    std::set<std::string> declared;
    for (const auto& entry : std::filesystem::directory_iterator(MASKGRAD_OPS_DIR)) {
      if (entry.path().extension() != ".hpp") continue;
      declared.merge(declared_in(entry.path()));
    }
    CHECK(declared.size() > 20);  // else the headers read differently than this test thinks
    std::string missing, unknown;
    for (const auto& name : declared) {
      if (!covered.count(name) && !exempt.count(name)) missing += " " + name;
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

}  // namespace maskgrad::tests
