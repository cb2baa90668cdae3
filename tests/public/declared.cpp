#include "declared.hpp"

#include "declared_in.hpp"

namespace maskgrad::tests {

void each_public_header(const std::function<void(const std::filesystem::path&)>& f) {
  const std::filesystem::path root = MASKGRAD_ROOT;
  for (const char* floor : {"core", "autograd", "layers", "optim"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / floor)) {
      const auto folder = entry.path().parent_path().filename();
      if (entry.path().extension() != ".hpp" || folder == "kernels" || folder == "simd") continue;
      f(entry.path());
    }
  }
}

std::set<std::string> declared_functions() {
  static const std::regex function(
      R"(^(?:\[\[\w+\]\] )?(?:requires \w+<\w+>\s?)?(?!struct|class|using|return|enum|friend|static)[A-Za-z_][\w:<>,*& ]*[ *&](\w+)\()");
  std::set<std::string> all;
  each_public_header([&](const auto& header) { all.merge(declared_in(header, function)); });
  return all;
}

}  // namespace maskgrad::tests
