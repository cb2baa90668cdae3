#include <doctest/doctest.h>

#include <maskgrad/core/io/array_rows.hpp>
#include <maskgrad/core/io/checksum.hpp>
#include <maskgrad/core/io/crc_watch.hpp>
#include <maskgrad/core/io/npy.hpp>
#include <maskgrad/core/io/npz.hpp>
#include <maskgrad/core/io/safetensors.hpp>

#include "files.hpp"
#include "throws.hpp"
#include "zip_builder.hpp"

namespace maskgrad::tests::test_array_rows {

using namespace maskgrad;
using files::fixture;
using maskgrad::tests::throws;

namespace {

template <extend::Element T>
std::vector<T> read(const detail::ArrayRows& rows, std::int64_t first, std::int64_t count) {
  const auto size = static_cast<std::size_t>(count * rows.width());
  const auto values = std::make_unique<T[]>(size);
  rows.read(first, count, dtype_of<T>(), reinterpret_cast<std::byte*>(values.get()));
  return std::vector<T>(values.get(), values.get() + size);
}

template <class F>
void for_each_fixture(F f) {
  for (const auto& entry : files::fs::directory_iterator(files::beside("data"))) {
    const auto name = entry.path().filename().string();
    if (name.ends_with(".npy") && !name.starts_with("refused") && name != "u8_large.npy") f(name);
  }
}

TEST_CASE("rows: the checksum of what was read in pieces") {
  std::string text(1000, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * i >> 3);
  const auto bytes = files::bytes(text);
  const detail::Place place{"read", "x"};
  struct Piece {
    std::size_t begin, end;
  };
  const std::vector<Piece> orders[] = {
      {{0, 1000}},
      {{0, 400}, {400, 1000}},
      {{600, 1000}, {0, 300}, {300, 600}},
      {{500, 501}, {400, 600}, {0, 450}, {550, 1000}},
      {{10, 20}, {30, 40}, {50, 60}, {0, 1000}},
      {{0, 999}, {0, 999}, {1, 1000}},
  };
  const auto crc = detail::crc32(0, bytes);
  for (const auto& order : orders) {
    for (const bool right : {true, false}) {
      detail::CrcWatch watch(1000, right ? crc : crc ^ 1);
      const auto see = [&](const Piece& p) {
        watch.saw(p.begin, bytes.subspan(p.begin, p.end - p.begin), place);
      };
      for (std::size_t i = 0; i + 1 < order.size(); ++i) CHECK_NOTHROW(see(order[i]));
      if (right) {
        CHECK_NOTHROW(see(order.back()));
      } else {
        CHECK(throws<FileError>([&] { see(order.back()); }, "the checksum is not that"));
        CHECK(throws<FileError>([&] { see(order[0]); }, "the checksum is not that"));
      }
    }
  }
  CHECK(detail::crc32_joined(detail::crc32(0, bytes.first(300)),
                             detail::crc32(0, bytes.subspan(300)), 700) == crc);
}

}  // namespace

TEST_CASE("rows: all of them are what reading the array gives, for every type and order") {
  int seen = 0;
  for_each_fixture([&](const std::string& name) {
    CAPTURE(name);
    const detail::ArrayRows rows = detail::npy_rows(fixture(name));
    CHECK(rows.read_all() == read_npy(fixture(name)));
    CHECK(rows.in_file() == (name.find("fortran") == name.npos));
    CHECK(rows.name() == fixture(name).string());
    ++seen;
  });
  CHECK(seen > 15);
  for (const std::string name : {"stored.npz", "streamed.npz", "deflated.npz"}) {
    const NpzReader reader(fixture(name));
    for (const auto& array : reader.names()) {
      CAPTURE(array);
      CHECK(reader.rows(array).read_all() == reader.read(array));
    }
    CHECK(reader.rows("a/kernel").in_file() == (name == "stored.npz"));
  }
  const detail::SafetensorsReader reader(fixture("all.safetensors"));
  for (const auto& array : reader.names()) {
    CHECK(reader.rows(array).read_all() == reader.read(array));
    CHECK(reader.rows(array).in_file());
  }
}

TEST_CASE("rows: a part of them, as another type, after the reader is gone") {
  const files::TemporaryFolder folder;
  const NamedArrays arrays{{"x", files::array_of<float>({3, 2}, {1, 2, 3, 4, 5.5f, 6})},
                           {"n", files::array_of<std::int64_t>({3}, {7, 8, 9})}};
  for (const auto how : {Compression::stored, Compression::deflated}) {
    write_npz(folder / "x.npz", arrays, how);
    const detail::ArrayRows x = NpzReader(folder / "x.npz").rows("x");
    CHECK(x.rows() == 3);
    CHECK(x.width() == 2);
    CHECK(x.shape() == std::vector<std::int64_t>{3, 2});
    CHECK(read<float>(x, 1, 1) == std::vector<float>{3, 4});
    CHECK(read<double>(x, 1, 2) == std::vector<double>{3, 4, 5.5, 6});
    CHECK(read<std::int64_t>(x, 0, 2) == std::vector<std::int64_t>{1, 2, 3, 4});
    CHECK(read<float>(x, 3, 0).empty());
    CHECK(read<float>(NpzReader(folder / "x.npz").rows("n"), 1, 2) == std::vector<float>{8, 9});
  }
  write_safetensors(folder / "x.safetensors", arrays);
  const detail::ArrayRows x = detail::SafetensorsReader(folder / "x.safetensors").rows("x");
  CHECK(read<float>(x.merged(), 4, 2) == std::vector<float>{5.5f, 6});
  CHECK(x.merged().shape() == std::vector<std::int64_t>{6});
  CHECK(read<bool>(detail::npy_rows(fixture("b1.npy")), 0, 1) == std::vector<bool>{true, false});
}

TEST_CASE("rows: values that do not convert, and files that are cut short") {
  const files::TemporaryFolder folder;
  const auto path = folder / "x.npy";
  const auto refusal = [&](auto type) {
    using T = decltype(type);
    return files::message_of(
        [&] { read<T>(detail::npy_rows(path), 0, detail::npy_rows(path).rows()); });
  };
  const std::string head = "read_npy: " + path.string() + ", byte ";
  write_npy(path, files::array_of<double>({2}, {1, 2.5}));
  CHECK(refusal(std::int64_t{}) ==
        head +
            "136: the element 2.5 is no i64; expected a whole number; choose another type for it");
  CHECK(refusal(bool{}) ==
        head + "136: the element 2.5 is no bool; expected 0 or 1; choose another type for it");
  write_npy(path, files::array_of<double>({1}, {0x1p63}));
  CHECK(refusal(std::int64_t{}).find("is no i64") != std::string::npos);
  write_npy(path, files::array_of<double>({1}, {std::numeric_limits<double>::quiet_NaN()}));
  CHECK(refusal(std::int64_t{}).find("the element nan is no i64") != std::string::npos);
  write_npy(path, files::array_of<std::int64_t>({2}, {1, 2}));
  CHECK(refusal(bool{}).find("the element 2 is no bool") != std::string::npos);
  files::save(path, files::npy("|b1", "(2,)", "\1\2"));
  CHECK(refusal(float{}).find("a bool element is the byte 2; expected 0 or 1") !=
        std::string::npos);
  files::save(path, files::npy("<u8", "(1,)", std::string(8, '\xFF')));
  CHECK(refusal(float{}).find("an unsigned 64-bit element is 18446744073709551615") !=
        std::string::npos);
  files::save(path, files::npy("<f4", "(2,)", "1234"));
  CHECK(files::message_of([&] {
          detail::npy_rows(path);
        }).find("4 bytes follow the header; expected 8") != std::string::npos);
  files::save(path, files::npy("<f4", "(2,)", "12345678"));
  const detail::ArrayRows rows = detail::npy_rows(path);
  files::fs::resize_file(path, files::fs::file_size(path) - 4);
  CHECK(files::message_of([&] { read<float>(rows, 0, 2); }).find("the file ends here, but had ") !=
        std::string::npos);
}

TEST_CASE("rows: a damaged deflated entry is refused, a stored one is read as it is") {
  const files::TemporaryFolder folder;
  const NamedArrays arrays{{"x", files::array_of<float>({2}, {1, 2})}};
  auto file = files::text(npz_bytes(arrays));
  const auto value = file.find(std::string("\0\0\x80\x3F", 4));
  REQUIRE(value != file.npos);
  file[value + 2] = '\0';
  files::save(folder / "x.npz", file);
  CHECK(read<float>(NpzReader(folder / "x.npz").rows("x"), 1, 1) == std::vector<float>{2});
  CHECK(files::message_of([&] { NpzReader(folder / "x.npz").read("x"); }).find("checksum") !=
        std::string::npos);
}

TEST_CASE("texts: as NumPy writes them, as UTF-8") {
  const files::TemporaryFolder folder;
  const auto letters = [](std::u32string_view text, bool big = false) {
    std::string made;
    for (const auto c : text) {
      auto bytes = files::number(c, 4);
      made += big ? std::string(bytes.rbegin(), bytes.rend()) : bytes;
    }
    return made;
  };
  using Texts = std::vector<std::string>;
  const std::u32string_view three(
      U"train"
      U"\u00E9\u20AC\U0001F600\0\0"
      U"a\0b\0\0",
      15);
  const Texts expected{"train", "\u00E9\u20AC\U0001F600", std::string("a\0b", 3)};
  files::save(folder / "x.npy", files::npy("<U5", "(3,)", letters(three)));
  CHECK(detail::npy_texts(folder / "x.npy") == expected);
  files::save(folder / "x.npy", files::npy(">U5", "(3,)", letters(three, true)));
  CHECK(detail::npy_texts(folder / "x.npy") == expected);
  files::save(folder / "x.npy", files::npy("<U0", "(1,)", ""));
  CHECK(detail::npy_texts(folder / "x.npy") == Texts{""});
  files::ZipBuilder zip;
  zip.add("names.npy", files::npy("<U5", "(3,)", letters(three)));
  files::save(folder / "x.npz", zip.place().file());
  CHECK(NpzReader(folder / "x.npz").texts("names") == expected);

  const auto refusal = [&](const std::string& type, const std::string& shape,
                           const std::string& data) {
    files::save(folder / "x.npy", files::npy(type, shape, data));
    return files::message_of([&] { detail::npy_texts(folder / "x.npy"); });
  };
  const std::string head = "read_npy: " + (folder / "x.npy").string() + ", byte ";
  CHECK(refusal("<f4", "(1,)", "1234") ==
        head +
            "20: the element type is '<f4'; expected texts, as '<U5'; write them with numpy.save");
  for (const std::string type : {"|U5", "<U", "<U-1", "<U5x", "<U99999999999999999999", "<S5"}) {
    CHECK(refusal(type, "(1,)", "1234").find("expected texts") != std::string::npos);
  }
  CHECK(refusal("<U1", "(1, 1)", "1234").find("the texts have 2 axes; expected one, a list") !=
        std::string::npos);
  CHECK(refusal("<U2", "(1,)", "1234")
            .find("4 bytes follow the header; expected 1 texts of 2 code "
                  "points of 4 bytes") != std::string::npos);
  for (const std::string shape : {"(0,)", "(2,)", "(4611686018427387904,)"}) {
    CHECK(refusal("<U1", shape, "1234").find("bytes follow") != std::string::npos);
  }
  CHECK(refusal("<U0", "(9223372036854775807,)", "").find("bytes follow") != std::string::npos);
  CHECK(refusal("<U4611686018427387905", "(1,)", "1234").find("bytes follow") != std::string::npos);
  CHECK(refusal("<U1", "(1,)", letters(U"a") + "1").find("5 bytes follow") != std::string::npos);
  CHECK(
      refusal("<U1", "(1,)", files::number(0x110000, 4)).find("0x110000, which is no code point") !=
      std::string::npos);
  CHECK(refusal("<U1", "(1,)", files::number(0xD800, 4)).find("0xd800") != std::string::npos);
}

}  // namespace maskgrad::tests::test_array_rows
