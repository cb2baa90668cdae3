// Files of torch.save: the pickle by itself, and whole files of either form. No crash, leak or
// hang, allocations bounded, and what is read survives a round trip.
#include <maskgrad/core/io/torch/pickle.hpp>
#include <maskgrad/core/io/torch/torch_file.hpp>

#include "zip_entries.hpp"

using namespace maskgrad;

namespace {

// The readers state twice the factor of the others, for values of a byte each.
constexpr std::size_t twice = 2;

void read_pickle_alone(std::span<const std::byte> input) {
  const detail::Place place{"fuzz", "input.pkl"};
  fuzz::Meter::start();
  try {
    const auto pickle = detail::read_pickle(input, place);
    fuzz::require(pickle.end <= input.size(), "a pickle ends in its bytes");
    for (const auto& name : detail::state_dict_of(pickle, place)) {
      detail::tensor_in(pickle, name, place);
    }
  } catch (const FileError&) {
  }
  fuzz::Meter::check(twice * input.size());
}

// As fuzz_npz counts: the input, with deflated entries as long as they may become.
std::size_t counted(std::span<const std::byte> input) {
  std::size_t total = input.size();
  try {
    const detail::ByteSource source(input, "input.pt", "fuzz");
    for (const auto& entry : detail::read_zip_directory(source)) total += entry.size;
  } catch (const FileError&) {
  }
  return total;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = fuzz::span_of(data, size);
  read_pickle_alone(input);
  const auto limit = twice * counted(input);
  fuzz::Meter::start();
  try {
    const auto arrays = detail::parse_torch(input, "input.pt");
    fuzz::Meter::check(limit);
    const auto again = detail::parse_torch(detail::torch_bytes(arrays), "again.pt");
    fuzz::require(again == arrays, "a round trip changes nothing");
  } catch (const FileError&) {
    fuzz::Meter::check(limit);
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  std::minstd_rand random(seed);
  return fuzz::mutate_zip(data, size, most, random, 4096, false);
}
