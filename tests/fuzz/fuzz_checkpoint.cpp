// Checkpoints, the resume path included: each is refused with an error of the library, or the
// training goes on from it to its end; nothing crashes, leaks or hangs.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "checkpoint_training.hpp"
#include "models.hpp"

using namespace maskgrad;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool quiet = (set_num_threads(1), true);
  (void)quiet;
  static const std::filesystem::path folder = "/dev/shm/maskgrad_fuzz_" + std::to_string(getpid());
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  {
    std::ofstream file(folder / "checkpoint-000000003.safetensors", std::ios::binary);
    file.write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  }
  fuzz::Training training;
  const auto before = training.weights();
  try {
    training.run(folder);
  } catch (const FileError& error) {
    // How many terms a loss has shows at the first step, when the weights are taken already.
    const bool late = std::string_view(error.what()).starts_with("fit: epoch ");
    fuzz::require(late || training.weights() == before, "a refused checkpoint changes nothing");
  } catch (const GradError&) {  // of the training that went on: what is not finite
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  return fuzz::mutate_file(data, size, most, seed, "maskgrad_checkpoint");
}
