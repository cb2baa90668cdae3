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
  // What the elementwise operations are made of.
  for (const auto* maker : {"binary", "binary_of_numbers", "unary", "unary_of_numbers"}) {
    declared.erase(maker);
  }
  // The fused parts of losses, which stand in namespace detail.
  declared.insert({"binary_cross_entropy", "sparse_cross_entropy"});
  return declared;
}

}  // namespace maskgrad::tests
