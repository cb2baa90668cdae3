// The .npz reader: no crash, leak or hang, allocations bounded, and what parses survives a round
// trip, stored and deflated.
#include <maskgrad/core/io/npz.hpp>
#include <maskgrad/core/io/zip_entry.hpp>

#include "zip_entries.hpp"

using namespace maskgrad;

namespace {

// What the stated factor refers to: the input, with deflated entries as long as they may become.
std::size_t counted(std::span<const std::byte> input) {
  std::size_t total = input.size();
  try {
    const detail::ByteSource source(input, "input.npz", "fuzz");
    for (const auto& entry : detail::read_zip_directory(source)) {
      fuzz::require(entry.size <= detail::max_deflate_ratio * entry.packed, "deflate's own limit");
      total += entry.size;
    }
    fuzz::require(total <= (detail::max_deflate_ratio + 1) * input.size(), "no byte counts twice");
  } catch (const FileError&) {
  }
  return total;
}

// Deflating sets up a quarter of a megabyte, which takes longer than all the rest.
bool seldom(std::size_t number) {
  return number % 16 == 0;
}

// Entries that hold texts, which parse_npz refuses.
void fuzz_texts(std::span<const std::byte> input, std::size_t limit) {
  fuzz::Meter::start();
  try {
    const NpzReader reader(input, "input.npz");
    for (const auto& name : reader.names()) reader.texts(name);
  } catch (const FileError&) {
  }
  fuzz::Meter::check(limit);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = fuzz::span_of(data, size);
  const auto limit = counted(input);
  fuzz::Meter::start();
  try {
    const auto arrays = parse_npz(input, "input.npz");
    fuzz::Meter::check(limit);
    for (auto how : {Compression::stored, Compression::deflated}) {
      if (how == Compression::deflated && !seldom(input.size())) continue;
      const auto again = parse_npz(npz_bytes(arrays, how), "again.npz");
      fuzz::require(again == arrays, "a round trip changes nothing");
    }
    const NpzReader reader(input, "input.npz");
    for (const auto& [name, array] : arrays) {
      fuzz::require(reader.rows(name).read_all() == array, "rows are the array");
    }
  } catch (const FileError&) {
    fuzz::Meter::check(limit);
  }
  fuzz_texts(input, limit);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  std::minstd_rand random(seed);
  return fuzz::mutate_zip(data, size, most, random, 4096, seldom(random()));
}
