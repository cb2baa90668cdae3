#include <doctest/doctest.h>

#include <fstream>

#include <maskgrad/core/io/npy.hpp>
#include <maskgrad/core/io/npz.hpp>
#include <maskgrad/core/io/safetensors.hpp>

#include "data/sequences.hpp"
#include "io/files.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_read_windows {
namespace {

/// Bytes that this process has asked the system to read so far.
std::int64_t bytes_read() {
  std::ifstream io("/proc/self/io");
  std::string name;
  std::int64_t value = 0;
  while (io >> name >> value) {
    if (name == "rchar:") return value;
  }
  return -1;
}

double sum_of(const Tensor& x) {
  double sum = 0;
  for (const float v : rows::of<float>(x)) sum += static_cast<double>(v);
  return sum;
}

TEST_CASE("read: a batch reads the rows that it needs, from every format that lets it") {
  constexpr std::int64_t sequences = 64, steps = 128, width = 16;
  constexpr std::int64_t bytes = sequences * steps * width * 4;  // 512 KiB
  const files::TemporaryFolder folder;
  const std::vector<float> values(static_cast<std::size_t>(sequences * steps * width), 1.5f);
  const NamedArrays arrays{
      {"values", Array::of<float>({sequences * steps, width}, values)},
      {"lengths", Array::of<std::int64_t>({sequences}, Numbers(sequences, steps))}};
  write_npz(folder / "x.npz", arrays);
  write_safetensors(folder / "x.safetensors", arrays);
  write_npy(folder / "x.npy", arrays[0].array);
  write_npy(folder / "x_lengths.npy", arrays[1].array);
  if (bytes_read() < 0) return;  // a system that does not say
  for (const auto* name : {"x.npz", "x.npy", "x.safetensors"}) {
    CAPTURE(name);
    auto before = bytes_read();
    const Dataset data = read_dataset(folder / name);
    CHECK(bytes_read() - before < bytes / 8);
    before = bytes_read();
    const Batch b = data.batch({3, 60});
    CHECK(b.inputs[0].mask().valid() == 2 * steps);
    const auto one_batch = bytes_read() - before;
    CHECK(one_batch >= 2 * steps * width * 4);
    CHECK(one_batch < 2 * steps * width * 4 + 8192);
    before = bytes_read();
    for (const Batch& batch : Batches{data, {.batch_size = 4}}.epoch(0)) CHECK(batch.size() == 4);
    CHECK(bytes_read() - before < bytes + 65536);
  }
}

TEST_CASE("read: a byte that changed is found when the file is opened with .verify") {
  const files::TemporaryFolder folder;
  const NamedArrays arrays{{"values", Array::of<float>({4, 1}, std::vector<float>{1, 2, 3, 4})},
                           {"lengths", Array::of<std::int64_t>({2}, Numbers{3, 1})}};
  write_npz(folder / "x.npz", arrays);
  write_npz(folder / "y.npz", arrays, Compression::deflated);
  write_safetensors(folder / "x.safetensors", arrays, {}, Checksum::crc32);
  const std::string_view three("\0\0\x40\x40", 4);
  for (const auto* name : {"x.npz", "y.npz", "x.safetensors"}) {
    CAPTURE(name);
    const auto path = folder / name;
    CHECK(read_dataset(path, {.verify = true}).steps() == 4);
    auto bytes = files::load(path);
    const auto at = bytes.rfind(three);
    if (at == bytes.npos) continue;  // deflated, and checked whenever it is read
    bytes[at] = 1;
    files::save(path, bytes);
    CHECK(throws<FileError>([&] { read_dataset(path, {.verify = true}); }, name, "checksum"));
    const Dataset data = read_dataset(path);
    CHECK(data.steps() == 4);
    if (!path.string().ends_with(".npz")) continue;
    // By windows, in any order, it is known when all of it was read.
    CHECK(steps_of(data.batch({1}).inputs[0]) == std::vector<std::vector<float>>{{4}});
    CHECK(throws<FileError>(
        [&] {
          data.pieces(2).batch({1, 0});
        },
        "entry 'values.npy'", "the checksum is not that of the directory"));
  }
}

TEST_CASE("read: pieces of a sequence of many runs") {
  const files::TemporaryFolder folder;
  const auto mask = std::make_unique<bool[]>(30);
  std::vector<float> values;
  std::vector<std::vector<float>> expected(1);
  for (std::size_t t = 0; t < 30; ++t) {
    values.push_back(static_cast<float>(t));
    mask[t] = t % 3 != 1;  // runs of 1 and 2 steps
    if (!mask[t]) continue;
    if (expected.back().size() == 4) expected.emplace_back();
    expected.back().push_back(values.back());
  }
  write_npz(folder / "x.npz", {{"values", Array::of<float>({1, 30}, values)},
                               {"mask", Array::of<bool>({1, 30}, {mask.get(), 30})}});
  const Dataset pieces = read_dataset(folder / "x.npz").pieces(4);
  REQUIRE(pieces.size() == 5);
  CHECK(steps_of(pieces.batch({0, 1, 2, 3, 4}).inputs[0]) == expected);
}

TEST_CASE("read: an epoch over a file holds a few batches and not the file") {
  constexpr std::int64_t sequences = 64, steps = 256, width = 32;  // 2 MiB
  const files::TemporaryFolder folder;
  {
    const std::vector<float> values(static_cast<std::size_t>(sequences * steps * width), 1.5f);
    write_npz(folder / "x.npz",
              {{"values", Array::of<float>({sequences * steps, width}, values)},
               {"lengths", Array::of<std::int64_t>({sequences}, Numbers(sequences, steps))}});
  }
  const Dataset data = read_dataset(folder / "x.npz");
  memory::reset_high_water();
  const auto before = memory::stats().bytes_in_use;
  double sum = 0;
  for (const Batch& b : Batches{data, {.batch_size = 2, .prefetch = 2}}.epoch(0)) {
    sum += sum_of(b.inputs[0]);
  }
  CHECK(sum == 1.5 * sequences * steps * width);
  // A batch is 64 KiB: one in hand, two ahead, one in the making; sizes round up.
  CHECK(memory::stats().high_water - before < 6 * 65536);
}

}  // namespace
}  // namespace maskgrad::tests::test_read_windows
