// Keras files: what reads HDF5 by itself, and whole models of either container, which load or are
// refused by an error of the library.
#include <maskgrad/core/io/hdf5/hdf5.hpp>
#include <maskgrad/core/io/zip_entry.hpp>
#include <maskgrad/core/io/zip_write.hpp>
#include <maskgrad/layers/keras/lint.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "fuzz.hpp"

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

struct Entry {
  std::string name;
  fuzz::Bytes bytes;
};

std::vector<Entry> unpacked(std::span<const std::byte> input) {
  std::vector<Entry> made;
  const detail::ByteSource source(input, "input.keras", "fuzz");
  for (const auto& entry : detail::read_zip_directory(source)) {
    if (entry.size > 65536) continue;
    detail::ZipEntryStream in(source, entry);
    made.push_back({entry.name, fuzz::Bytes(entry.size)});
    in.read(made.back().bytes);
  }
  return made;
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

// Every other mutation changes an entry of a zip and packs it again, with its checksum right.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  std::minstd_rand random(seed);
  if (random() % 2 == 0) return LLVMFuzzerMutate(data, size, most);
  try {
    auto entries = unpacked(fuzz::span_of(data, size));
    if (entries.empty()) return LLVMFuzzerMutate(data, size, most);
    auto& chosen = entries[random() % entries.size()];
    chosen.bytes = fuzz::mutated(chosen.bytes, 16384);
    std::vector<detail::ZipPart> parts;
    for (const auto& entry : entries) parts.push_back({entry.name, entry.bytes, {}});
    fuzz::Bytes made;
    detail::write_zip("fuzz", parts, false,
                      [&](auto bytes) { made.insert(made.end(), bytes.begin(), bytes.end()); });
    return fuzz::replace(data, size, most, made);
  } catch (const FileError&) {
    return LLVMFuzzerMutate(data, size, most);
  }
}
