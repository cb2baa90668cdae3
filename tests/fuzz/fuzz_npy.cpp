// The .npy reader: no crash, leak or hang, allocations bounded, and what parses survives a round
// trip.
#include <maskgrad/core/io/npy.hpp>

#include "fuzz.hpp"

using namespace maskgrad;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = fuzz::span_of(data, size);
  fuzz::Meter::start();
  try {
    const auto array = parse_npy(input, "input.npy");
    fuzz::Meter::check(size);
    fuzz::require(parse_npy(npy_bytes(array), "again.npy") == array,
                  "a round trip changes nothing");
  } catch (const FileError&) {
    fuzz::Meter::check(size);
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  if (seed % 2 == 0) return LLVMFuzzerMutate(data, size, most);
  return fuzz::mutate_header(data, size, most, 8, size > 6 && data[6] == 1 ? 2 : 4);
}
