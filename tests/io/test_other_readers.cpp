#include <doctest/doctest.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <maskgrad/core/io/npy.hpp>
#include <maskgrad/core/io/npz.hpp>
#include <maskgrad/core/io/safetensors.hpp>

#include "files.hpp"

namespace maskgrad::tests::test_other_readers {

using namespace maskgrad;

namespace {

std::string output_of(const std::string& command) {
  std::string made;
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  char buffer[4096];
  for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    made.append(buffer, got);
  return ::pclose(pipe) == 0 ? made : "failed: " + made;
}

// Whether NumPy is there; where it is not, says so each time.
bool has_numpy() {
  const bool there = output_of("/usr/bin/python3 -c 'import numpy; print(1)' 2>/dev/null") == "1\n";
  if (!there)
    MESSAGE("NOT CHECKED: /usr/bin/python3 has no numpy, so no other reader saw our files");
  return there;
}

std::string read_with(std::string_view script, const std::filesystem::path& path) {
  return output_of("PYTHONIOENCODING=utf-8 /usr/bin/python3 '" + files::beside(script).string() +
                   "' '" + path.string() + "' 2>&1");
}

std::string line(const NamedArray& named) {
  const auto& [name, array] = named;
  const std::string_view type = array.dtype == DType::f32   ? "float32"
                                : array.dtype == DType::f64 ? "float64"
                                : array.dtype == DType::i64 ? "int64"
                                                            : "bool";
  std::string hex;
  for (auto byte : array.bytes) hex += fmt::format("{:02x}", static_cast<int>(byte));
  return fmt::format("{} {} [{}] {}\n", name, type, fmt::join(array.shape, ", "), hex);
}

std::string lines(const NamedArrays& arrays) {
  std::string made;
  for (const auto& named : arrays) made += line(named);
  return made;
}

}  // namespace

TEST_CASE("NumPy reads our .npy and .npz") {
  if (!has_numpy()) return;
  const files::TemporaryFolder folder;
  for (auto how : {Compression::stored, Compression::deflated}) {
    write_npz(folder / "x.npz", files::samples(), how);
    CHECK(read_with("read_npz.py", folder / "x.npz") == lines(files::samples()));
  }
  write_npz(folder / "none.npz", {});
  CHECK(read_with("read_npz.py", folder / "none.npz") == "");
  for (const auto& sample : files::samples()) {
    write_npy(folder / "x.npy", sample.array);
    CHECK(read_with("read_npz.py", folder / "x.npy") == line({"npy", sample.array}));
  }
}

TEST_CASE("an independent reader reads our .safetensors") {
  if (!has_numpy()) return;
  const files::TemporaryFolder folder;
  write_safetensors(folder / "x", files::samples(), {{"b", "\"2\""}, {"a", "\xC3\xA9"}});
  CHECK(read_with("read_safetensors.py", folder / "x") ==
        "a=\xC3\xA9\nb=\"2\"\n" + lines(files::samples()));
}

}  // namespace maskgrad::tests::test_other_readers
