// Model files: each is refused with an error of the library or loaded; nothing crashes, leaks,
// hangs or allocates out of proportion; what loads is saved and loaded again to the same weights.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include <maskgrad/maskgrad.hpp>

#include "models.hpp"

using namespace maskgrad;

namespace {

/// A file in memory, of this process.
const std::filesystem::path path =
    "/dev/shm/maskgrad_fuzz_" + std::to_string(getpid()) + ".safetensors";

void write(std::span<const std::byte> bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

std::vector<std::vector<double>> weights_of(const AnyLayer& model) {
  std::vector<std::vector<double>> all;
  for (const auto& p : parameters(model)) {
    all.push_back(cast(p.value(), DType::f64).to_vector<double>());
  }
  return all;
}

bool same(double a, double b) {
  return a == b || (a != a && b != b);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool quiet = (set_num_threads(1), true);
  (void)quiet;
  write(fuzz::span_of(data, size));
  std::optional<AnyLayer> read;
  try {
    read = load_any_model(path);
  } catch (const Error&) {
    return 0;
  }
  const AnyLayer& model = *read;
  // An error from here on is a finding: what was loaded can be saved, and loaded again.
  const auto weights = weights_of(model);
  save_model(model, path);
  const auto again = weights_of(load_any_model(path));
  fuzz::require(weights.size() == again.size(), "a round trip keeps the weights");
  for (std::size_t i = 0; i < weights.size(); ++i) {
    fuzz::require(
        std::equal(weights[i].begin(), weights[i].end(), again[i].begin(), again[i].end(), same),
        "a round trip changes no weight");
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  return fuzz::mutate_file(data, size, most, seed, "maskgrad_model");
}
