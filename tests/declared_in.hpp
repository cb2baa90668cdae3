#pragma once

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace maskgrad::tests {

/// The names that `function`, whose last group is a name, finds in the lines of a header that stand
/// directly in namespace maskgrad.
inline std::set<std::string> declared_in(const std::filesystem::path& header,
                                         const std::regex& function) {
  static const std::regex opened(R"(^(inline )?namespace ([\w:]*) ?\{)");
  static const std::regex closed(R"(^\}  // namespace)");
  std::set<std::string> names;
  std::vector<std::string> inside;
  std::ifstream file(header);
  for (std::string line; std::getline(file, line);) {
    std::smatch found;
    if (std::regex_search(line, found, opened)) inside.push_back(found[2]);
    if (std::regex_search(line, closed) && !inside.empty()) inside.pop_back();
    if (inside == std::vector<std::string>{"maskgrad"} &&
        std::regex_search(line, found, function)) {
      names.insert(found[found.size() - 1]);
    }
  }
  return names;
}

}  // namespace maskgrad::tests
