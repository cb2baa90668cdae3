#include <maskgrad/optim/distributed/agreement.hpp>

#include <fmt/format.h>

#include <maskgrad/core/io/checksum.hpp>
#include <maskgrad/core/io/json.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/optim/train/training_state.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::size_t most_told = 8;

bool is_of_bits_alone(std::string_view path) {
  return path.starts_with("/versions/simd") || path.starts_with("/versions/openblas") ||
         path.starts_with("/versions/compiler");
}

/// `/batches/seed: 1 on rank 0, 2 on rank 3`.
std::string told(const SettingsDifference& d, std::size_t rank) {
  constexpr std::string_view between = ", now ";
  const auto at = d.change.rfind(between);
  if (at == std::string::npos) return fmt::format("{}: {}", d.path, d.change);
  return fmt::format("{}: {} on rank 0, {} on rank {}", d.path, d.change.substr(0, at),
                     d.change.substr(at + between.size()), rank);
}

std::uint32_t crc_of(const Tensor& x, std::uint32_t before = 0) {
  if (!x.defined()) return before;
  std::uint32_t crc = before;
  const auto bytes = static_cast<std::size_t>(rows::total(x)) * (x.dtype() == DType::f32       ? 4
                                                                 : x.dtype() == DType::boolean ? 1
                                                                                               : 8);
  crc = crc32(crc, {reinterpret_cast<const std::byte*>(x.impl().storage.data()), bytes});
  return crc;
}

}  // namespace

std::vector<std::string> check_agreement(std::string_view where, const Communicator& communicator,
                                         const std::string& settings) {
  if (communicator.size() == 1) return {};
  const auto crc = crc32(0, std::as_bytes(std::span(settings)));
  double greatest[] = {static_cast<double>(crc), -static_cast<double>(crc)};
  communicator.max(greatest);
  if (greatest[0] == -greatest[1]) return {};
  const auto all = communicator.gather(settings);
  std::vector<std::string> notes;
  std::string refused;
  std::size_t count = 0;
  for (std::size_t r = 1; r < all.size(); ++r) {
    for (const auto& d : differences(all[0], all[r])) {
      if (is_of_bits_alone(d.path)) {
        notes.push_back(
            fmt::format("the ranks compute in other ways, so that other numbers of "
                        "them give other bits: {}",
                        told(d, r)));
      } else if (++count <= most_told) {
        refused += "\n  " + told(d, r);
      }
    }
  }
  if (count == 0) return notes;
  if (count > most_told) refused += fmt::format("\n  and {} more", count - most_told);
  fail<OptionError>(where,
                    "the ranks do not train the same; give all the same program, options and "
                    "data{}",
                    refused);
}

std::string fingerprint(const Batches& batches) {
  std::uint32_t lengths = 0;
  const Dataset& data = batches.data();
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const std::int64_t length = data.length(i);
    lengths = crc32(lengths, std::as_bytes(std::span(&length, 1)));
  }
  std::uint32_t first = 0;
  if (data.size() > 0 && batches.size(0) > 0) {
    BatchesOptions options = batches.options();
    options.prefetch = 0;
    Epoch epoch = Batches{data, options}.epoch(0);
    const Batch& batch = *epoch.begin();
    for (const Tensor& x : batch.inputs) first = crc_of(x, first);
    first = crc_of(batch.weight, crc_of(batch.target, first));
  }
  return json_text(SortedJson{{"lengths", fmt::format("{:08x}", lengths)},
                              {"first_batch", fmt::format("{:08x}", first)}});
}

std::string fingerprint(const std::vector<std::pair<std::string, Tensor>>& values) {
  SortedJson all = SortedJson::object();
  for (const auto& [name, x] : values) all[name] = fmt::format("{:08x}", crc_of(x));
  return json_text(all);
}

}  // namespace maskgrad::detail
