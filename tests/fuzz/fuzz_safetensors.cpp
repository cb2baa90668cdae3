// The safetensors reader: no crash, leak or hang, allocations bounded, and what parses survives a
// round trip; read one by one, the arrays are the same.
#include <maskgrad/core/io/safetensors.hpp>

#include "fuzz.hpp"

using namespace maskgrad;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = fuzz::span_of(data, size);
  fuzz::Meter::start();
  try {
    const auto file = detail::parse_safetensors(input, "input.safetensors");
    fuzz::Meter::check(size);
    const auto bytes = detail::safetensors_bytes(file.arrays, file.metadata);
    fuzz::require(detail::parse_safetensors(bytes, "again") == file,
                  "a round trip changes nothing");
    const detail::SafetensorsReader reader(bytes, "again");
    for (const auto& [name, array] : file.arrays) {
      fuzz::require(reader.read(name) == array, "an array alone is that of the whole");
    }
  } catch (const FileError&) {
    fuzz::Meter::check(size);
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  if (seed % 2 == 0) return LLVMFuzzerMutate(data, size, most);
  return fuzz::mutate_header(data, size, most, 0, 8);
}
