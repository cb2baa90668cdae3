#include <doctest/doctest.h>

#include <maskgrad/core/io/npy.hpp>
#include <maskgrad/core/io/npz.hpp>
#include <maskgrad/core/io/room.hpp>
#include <maskgrad/core/io/safetensors.hpp>
#include <maskgrad/core/system_memory.hpp>

#include "files.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_large_files {

using namespace maskgrad;
using maskgrad::tests::throws;

TEST_CASE("a file larger than memory is read by rows, and refused whole with numbers") {
  const files::TemporaryFolder folder;
  // Files with a hole take no room on the disk.
  constexpr std::uint64_t many = std::uint64_t{1} << 42;
  const std::string_view numbers[] = {
      "takes 4398046511104 bytes of memory, and the system gives ",
      "; read it by rows, as read_dataset does from .npy, .safetensors and "
      "stored .npz, or where there is more memory"};
  const auto refused = [&](auto read, std::string_view where) {
    return throws<FileError>(read, where, numbers[0], numbers[1]);
  };
  const auto npy = folder / "x.npy";
  const auto header = files::npy("<f4", "(1099511627776,)", "");
  files::save(npy, header);
  files::fs::resize_file(npy, header.size() + many);
  CHECK(refused([&] { read_npy(npy); }, "read_npy: "));
  const detail::ArrayRows rows = detail::npy_rows(npy);
  std::vector<float> few(3, 1);
  rows.read(many / 8, 3, DType::f32, reinterpret_cast<std::byte*>(few.data()));
  CHECK(few == std::vector<float>{0, 0, 0});
  CHECK(refused([&] { rows.read_all(); }, "read_npy: "));

  const auto tensors = folder / "x.safetensors";
  const std::string json =
      R"({"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}})";
  files::save(tensors, files::number(json.size(), 8) + json);
  files::fs::resize_file(tensors, 8 + json.size() + many);
  const detail::SafetensorsReader reader(tensors);
  CHECK(refused([&] { reader.read("a"); }, "read_safetensors: "));
  CHECK(reader.rows("a").rows() == static_cast<std::int64_t>(many / 4));
}

TEST_CASE("memory that the system refuses is an error of the file") {
  const detail::Place place{"read", "x"};
  CHECK(throws<FileError>([&] { detail::with_room(place, 1000, [] { throw std::bad_alloc(); }); },
                          "read: x: reading it takes 1000 bytes of memory, and the system gives "
                          "less; read it by rows"));
  CHECK(memory::free_now() > 1 << 20);
}

}  // namespace maskgrad::tests::test_large_files
