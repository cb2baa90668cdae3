#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <maskgrad/core/io/array.hpp>

namespace files {

namespace fs = std::filesystem;

/// A file or folder beside this one. Compilers may be given a path relative to the build folder,
/// which is one above the running program.
inline fs::path beside(std::string_view name) {
  const auto here = fs::path(__FILE__).parent_path();
  if (here.is_absolute()) return here / name;
  for (auto folder = fs::read_symlink("/proc/self/exe").parent_path();;
       folder = folder.parent_path()) {
    if (fs::exists(folder / here / name)) return folder / here / name;
    if (folder == folder.root_path()) return here / name;
  }
}

/// A small file that NumPy, or an independent writer, made; see make_fixtures.py.
inline fs::path fixture(std::string_view name) {
  return beside("data") / name;
}

/// A folder of its own, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    auto name = (fs::temp_directory_path() / "maskgrad-io-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw fs::filesystem_error("mkdtemp", std::error_code());
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  fs::path operator/(std::string_view name) const { return path_ / name; }
  const fs::path& path() const { return path_; }
  /// How many files and folders lie in it.
  std::size_t count() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
  }

 private:
  fs::path path_;
};

inline std::string load(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void save(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary)
      .write(text.data(), static_cast<std::streamsize>(text.size()));
}

inline std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

inline std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// `value` in `width` bytes, least significant first.
inline std::string number(std::uint64_t value, int width) {
  std::string made;
  for (; width > 0; --width, value >>= 8) made += static_cast<char>(value & 255);
  return made;
}

/// The bytes of an .npy file whose header says what it likes.
inline std::string npy(std::string_view header, std::string_view data = {}) {
  return "\x93NUMPY" + number(1, 2) + number(header.size(), 2) + std::string(header) +
         std::string(data);
}

/// The same with a header that is as it should be.
inline std::string npy(std::string_view type, std::string_view shape, std::string_view data) {
  return npy("{'descr': '" + std::string(type) +
                 "', 'fortran_order': False, 'shape': " + std::string(shape) + "}",
             data);
}

/// The text of the FileError that `f` throws.
template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const maskgrad::FileError& error) {
    return error.what();
  }
  return "no error";
}

template <maskgrad::extend::Element T>
std::vector<T> vector_of(const maskgrad::Array& array) {
  const auto values = array.values<T>();
  return {values.begin(), values.end()};
}

template <maskgrad::extend::Element T>
maskgrad::Array array_of(std::vector<std::int64_t> shape, std::initializer_list<T> values) {
  return maskgrad::Array::of<T>(std::move(shape),
                                std::span<const T>(values.begin(), values.size()));
}

/// One array of each element type and of several ranks, with the values that are hard to keep.
inline maskgrad::NamedArrays samples() {
  constexpr auto inf = std::numeric_limits<double>::infinity();
  constexpr auto nan = std::numeric_limits<float>::quiet_NaN();
  return {
      {"f32", array_of<float>({2, 2}, {0.5f, -0.0f, nan, 1e-45f})},
      {"bool", array_of<bool>({3}, {true, false, true})},
      {"group/f64", array_of<double>({1, 2, 1}, {-inf, 0.1})},
      {"i64", array_of<std::int64_t>({2}, {INT64_MIN, INT64_MAX})},
      {"scalar", array_of<double>({}, {3.25})},
      {"empty", array_of<float>({0, 3}, {})},
      {"h\xC3\xB6he", array_of<bool>({1, 1, 1, 1}, {true})},
  };
}

}  // namespace files
