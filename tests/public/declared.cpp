#include "declared.hpp"

#include <filesystem>
#include <fstream>
#include <regex>
#include <vector>

namespace maskgrad::tests {
namespace {

namespace fs = std::filesystem;

std::set<std::string> declared_in(const fs::path& header) {
  static const std::regex opened(R"(^(inline )?namespace ([\w:]*) ?\{)");
  static const std::regex closed(R"(^\}  // namespace)");
  static const std::regex function(
      R"(^(?:\[\[\w+\]\] )?(?:requires \w+<\w+>\s?)?(?!struct|class|using|return|enum|friend|static)[A-Za-z_][\w:<>,*& ]*[ *&](\w+)\()");
  std::set<std::string> names;
  std::vector<std::string> inside;
  std::ifstream file(header);
  for (std::string line; std::getline(file, line);) {
    std::smatch found;
    if (std::regex_search(line, found, opened)) inside.push_back(found[2]);
    if (std::regex_search(line, closed) && !inside.empty()) inside.pop_back();
    if (inside == std::vector<std::string>{"maskgrad"} &&
        std::regex_search(line, found, function)) {
      names.insert(found[1]);
    }
  }
  return names;
}

}  // namespace

std::set<std::string> declared_functions() {
  std::set<std::string> all;
  const fs::path root = MASKGRAD_ROOT;
  for (const char* floor : {"core", "autograd", "layers", "optim"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / floor)) {
      const auto folder = entry.path().parent_path().filename();
      if (entry.path().extension() != ".hpp" || folder == "kernels" || folder == "simd") continue;
      all.merge(declared_in(entry.path()));
    }
  }
  return all;
}

}  // namespace maskgrad::tests
