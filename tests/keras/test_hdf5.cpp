#include <doctest/doctest.h>

#include <maskgrad/core/io/hdf5/hdf5.hpp>
#include <maskgrad/core/io/hdf5/hdf5_write.hpp>

#include "keras/keras_files.hpp"

namespace maskgrad::tests::test_hdf5 {
namespace {

using detail::ByteSource;
using detail::Hdf5File;

hdf5_writer::Group some() {
  hdf5_writer::Group root;
  root.texts["model_config"] = "{\"a\": 1}";
  root.lists["layer_names"] = {"gru", "dense_1"};
  root.put("weights/gru/kernel:0", keras_files::numbers({2, 3}, 1));
  auto packed = keras_files::numbers({5, 2}, 2);
  packed.chunked = true;
  root.put("weights/gru/bias:0", packed);
  root.put("weights/empty", {{0}, {}});
  return root;
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return files::bytes(text);
}

/// Reads all there is.
void read_all(const std::string& file) {
  const ByteSource source(bytes_of(file), "memory", "test");
  const Hdf5File opened(source);
  for (const auto& object : opened.objects()) {
    if (object.dataset) (void)opened.read(object);
  }
}

TEST_CASE("groups, numbers and texts of an HDF5 file") {
  const std::string file = hdf5_writer::file_of(some());
  const ByteSource source(bytes_of(file), "memory", "test");
  const Hdf5File opened(source);
  const auto& root = opened.objects().front();
  CHECK(root.path.empty());
  CHECK(root.text("model_config") == "{\"a\": 1}");
  CHECK(root.texts("layer_names") == std::vector<std::string>{"gru", "dense_1"});
  CHECK(root.texts("nothing").empty());
  const auto* kernel = opened.find("weights/gru/kernel:0");
  REQUIRE(kernel);
  CHECK(kernel->shape == std::vector<std::int64_t>{2, 3});
  CHECK(files::vector_of<float>(opened.read(*kernel)) == keras_files::numbers({2, 3}, 1).values);
  // In chunks, shuffled and packed.
  const auto* bias = opened.find("weights/gru/bias:0");
  REQUIRE(bias);
  CHECK(files::vector_of<float>(opened.read(*bias)) == keras_files::numbers({5, 2}, 2).values);
  CHECK(opened.read(*opened.find("weights/empty")).size() == 0);
  CHECK(!opened.find("weights/gru/kernel"));
}

TEST_CASE("an HDF5 file that is cut is refused, wherever") {
  const std::string file = hdf5_writer::file_of(some());
  int refused = 0;
  const int step = 7;
  for (std::size_t size = 0; size < file.size(); size += step) {
    try {
      read_all(file.substr(0, size));
    } catch (const FileError&) {
      ++refused;
    }
  }
  CHECK(refused > 200);  // what is cut off at the end may be padding
}

TEST_CASE("an HDF5 file with any byte changed is read or refused by type") {
  const std::string file = hdf5_writer::file_of(some());
  int read = 0, refused = 0;
  for (std::size_t at = 0; at < file.size(); ++at) {
    for (const int other : {0x00, 0xff, static_cast<unsigned char>(file[at]) ^ 1}) {
      std::string changed = file;
      changed[at] = static_cast<char>(other);
      try {
        read_all(changed);
        ++read;
      } catch (const FileError&) {
        ++refused;
      }
    }
  }
  CHECK(read > 0);
  CHECK(refused > 0);
}

TEST_CASE("an HDF5 file in which groups hold themselves is refused") {
  std::string file = hdf5_writer::file_of(some());
  // The root's header, by the first block; every link to a header is one to the root.
  const std::string root = file.substr(64, 8);
  for (std::size_t at = file.find("SNOD"); at != std::string::npos;
       at = file.find("SNOD", at + 1)) {
    const auto count = static_cast<unsigned char>(file[at + 6]);
    for (int i = 0; i < count; ++i)
      file.replace(at + 8 + 40 * static_cast<std::size_t>(i) + 8, 8, root);
  }
  const std::string message = files::message_of([&] { read_all(file); });
  CHECK(message.find("is there under another name too") != std::string::npos);
}

TEST_CASE("sizes that no file can hold are refused before they are made") {
  std::string file = hdf5_writer::file_of(some());
  // The first axis of the kernel, [2, 3].
  const std::string shape = files::number(2, 8) + files::number(3, 8);
  const auto at = file.find(shape);
  REQUIRE(at != std::string::npos);
  for (const std::uint64_t size :
       {std::uint64_t{1} << 40, std::uint64_t{1} << 62, ~std::uint64_t{0}}) {
    file.replace(at, 8, files::number(size, 8));
    CHECK_THROWS_AS(read_all(file), FileError);
  }
}

TEST_CASE("groups of any number of entries are written as they are read") {
  for (const int count : {0, 1, 8, 9, 255, 256, 257, 3000}) {
    CAPTURE(count);
    detail::Hdf5Group root;
    root.texts["name"] = "m\xC3\xA9thode";
    auto& many = root.at("layers/many");
    for (int i = 0; i < count; ++i) {
      const std::vector<double> value = {static_cast<double>(i)};
      many.data[std::to_string(i)] = Array::of<double>({1}, value);
      root.at(fmt::format("groups/{}/vars", i)).texts["name"] = std::to_string(i % 7);
    }
    root.data["matrix"] = files::array_of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
    root.data["scalar"] = files::array_of<double>({}, {0.5});
    root.data["empty"] = files::array_of<float>({0, 2}, {});
    const auto bytes = detail::hdf5_bytes("test", root);
    const ByteSource source(bytes, "m.h5", "test");
    const Hdf5File file(source);
    CHECK(file.find("")->text("name") == "m\xC3\xA9thode");
    for (const auto& [name, array] : root.data) CHECK(file.read(*file.find(name)) == array);
    for (int i = 0; i < count; ++i) {
      CHECK(file.read(*file.find(fmt::format("layers/many/{}", i))).values<double>()[0] == i);
      CHECK(file.find(fmt::format("groups/{}/vars", i))->text("name") == std::to_string(i % 7));
    }
  }
}

TEST_CASE("what an HDF5 file here cannot have is not written") {
  const auto refused = [](const std::string& name, const Array& array) {
    detail::Hdf5Group root;
    root.data[name] = array;
    return files::message_of([&] { detail::hdf5_bytes("test", root); });
  };
  const auto one = files::array_of<float>({}, {1});
  CHECK(refused("a", one) == "no error");
  CHECK(refused("", one).find("no name") != std::string::npos);
  CHECK(refused("a/b", one).find("no name") != std::string::npos);
  CHECK(refused("a", files::array_of<std::int64_t>({}, {1})).find("expected f32 or f64") !=
        std::string::npos);
}

}  // namespace
}  // namespace maskgrad::tests::test_hdf5
