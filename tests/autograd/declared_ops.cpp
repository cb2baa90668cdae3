#include "declared_ops.hpp"

#include <filesystem>

#include "declared_in.hpp"

namespace maskgrad::tests {

std::set<std::string> declared_ops() {
  // Functions that give tensors: those that users call. Operators stand for the function that they
  // call.
  static const std::regex function(
      R"(^(inline )?(Tensor|std::vector<Tensor>|\w+Result|std::pair<Tensor, Tensor>) (\w+)\()");
  std::set<std::string> declared;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(MASKGRAD_OPS_DIR)) {
    if (entry.path().extension() == ".hpp") declared.merge(declared_in(entry.path(), function));
  }
  declared.erase("unary");  // makes the unary operations
  return declared;
}

}  // namespace maskgrad::tests
