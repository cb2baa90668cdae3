#include "declared_ops.hpp"

#include <filesystem>
#include <fstream>
#include <regex>
#include <vector>

namespace maskgrad::tests {
namespace {

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

std::set<std::string> declared_ops() {
  std::set<std::string> declared;
  for (const auto& entry : std::filesystem::directory_iterator(MASKGRAD_OPS_DIR)) {
    if (entry.path().extension() == ".hpp") declared.merge(declared_in(entry.path()));
  }
  declared.erase("unary");  // makes the unary operations
  return declared;
}

}  // namespace maskgrad::tests
