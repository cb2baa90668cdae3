// Keras files: what reads HDF5 by itself, and whole models of either container, which load or are
// refused by an error of the library.
#include <maskgrad/core/io/hdf5/hdf5.hpp>
#include <maskgrad/layers/keras/lint.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "zip_entries.hpp"

using namespace maskgrad;

namespace {

const std::filesystem::path& path() {
  static const auto path = std::filesystem::temp_directory_path() /
                           ("maskgrad-fuzz-keras-" + std::to_string(::getpid()));
  return path;
}

void read_hdf5(std::span<const std::byte> input) {
  try {
    const detail::ByteSource source(input, "input.h5", "fuzz");
    const detail::Hdf5File file(source);
    for (const auto& object : file.objects()) {
      try {
        if (object.dataset) (void)file.read(object);
      } catch (const FileError&) {
      }
    }
  } catch (const FileError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = fuzz::span_of(data, size);
  read_hdf5(input);
  {
    std::ofstream out(path(), std::ios::binary);
    out.write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  }
  try {
    const Lint found = lint(path());
    fuzz::require(!found.table().empty() && !found.html().empty(), "what is read is shown");
  } catch (const Error&) {
  }
  try {
    load_keras(path());
  } catch (const Error&) {
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  std::minstd_rand random(seed);
  return fuzz::mutate_zip(data, size, most, random, 16384, false);
}
