#include <doctest/doctest.h>

#include <maskgrad/core/io/safetensors.hpp>

#include "files.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_safetensors {

using namespace maskgrad;
using files::fixture;
using files::samples;
using maskgrad::tests::throws;

namespace {

using Names = std::vector<std::string>;

std::string safetensors(std::string_view header, std::string_view data = {}) {
  return files::number(header.size(), 8) + std::string(header) + std::string(data);
}

Safetensors parsed(const std::string& file) {
  return detail::parse_safetensors(files::bytes(file), "x.safetensors");
}

}  // namespace

TEST_CASE("safetensors: every type of an independent writer") {
  const detail::SafetensorsReader reader(fixture("all.safetensors"));
  CHECK(reader.names() == Names{"f32", "f64", "f16", "i64", "i32", "i16", "i8", "u64", "u32", "u16",
                                "u8", "bool", "bf16", "none"});
  CHECK(reader.metadata() == Metadata{{"made by", "make_fixtures.py"}, {"empty", ""}});
  CHECK(reader.read("f32") == files::array_of<float>({3}, {0, 1, 100}));
  CHECK(reader.read("f64") == files::array_of<double>({3}, {0, 1, 100}));
  CHECK(reader.read("f16") == files::array_of<float>({3}, {0, 1, 100}));
  CHECK(reader.read("bf16") == files::array_of<float>({2, 1}, {1, -100}));
  for (auto name : {"i64", "i32", "i16", "i8", "u64", "u32", "u16", "u8"}) {
    CAPTURE(name);
    CHECK(reader.read(name) == files::array_of<std::int64_t>({3}, {0, 1, 100}));
  }
  CHECK(reader.read("bool") == files::array_of<bool>({3}, {false, true, true}));
  CHECK(reader.read("none") == files::array_of<float>({0, 4}, {}));
  CHECK(reader.read_all().size() == 14);
  CHECK(reader.contains("bf16"));
  CHECK_FALSE(reader.contains("__metadata__"));
}

TEST_CASE("safetensors: what is written is read again, bit for bit") {
  const files::TemporaryFolder folder;
  const Metadata metadata = {{"", "empty key"},
                             {"text", "line\nquote\" \\ \xE2\x82\xAC"},
                             {std::string("n\0l", 3), std::string(1, '\0')}};
  CHECK(detail::parse_safetensors(detail::safetensors_bytes(samples(), metadata), "memory") ==
        Safetensors{samples(), metadata});
  write_safetensors(folder / "x.safetensors", samples(), metadata);
  CHECK(read_safetensors(folder / "x.safetensors") == Safetensors{samples(), metadata});
  CHECK(files::load(folder / "x.safetensors") ==
        files::text(detail::safetensors_bytes(samples(), metadata)));
  CHECK(folder.count() == 1);
  CHECK(detail::parse_safetensors(detail::safetensors_bytes({}), "memory") == Safetensors{});
  CHECK(files::text(detail::safetensors_bytes({})) == safetensors("{}      "));
}

TEST_CASE("safetensors: one flipped bit anywhere is found by the checksum") {
  const NamedArrays arrays{{"a", files::array_of<float>({2}, {1, 2})},
                           {"b", files::array_of<bool>({3}, {true, false, true})}};
  const Metadata metadata{{"key", "a text"}};
  const auto good = files::text(detail::safetensors_bytes(arrays, metadata, Checksum::crc32));
  // Other readers see a text more; this one keeps it to itself.
  CHECK(good.find("\"maskgrad_checksum\":\"maskgrad crc32 ") != std::string::npos);
  CHECK(detail::parse_safetensors(files::bytes(good), "good") == Safetensors{arrays, metadata});
  CHECK(detail::SafetensorsReader(files::bytes(good), "good").verify());
  std::size_t silent = 0;
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    auto bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    try {
      detail::parse_safetensors(files::bytes(bad), "bad");
      ++silent;
    } catch (const FileError&) {
    }
  }
  CHECK(silent == 0);
  auto bad = good;
  bad.back() = 0;
  CHECK(throws<FileError>([&] { detail::parse_safetensors(files::bytes(bad), "bad"); },
                          "parse_safetensors: bad, byte ", ": the checksum of the file is ",
                          ", but it says ",
                          "take another copy, or, where a program changed it on "
                          "purpose, have it leave 'maskgrad_checksum' out of the metadata"));
  bad = good;
  bad.replace(bad.find("maskgrad_checksum"), 8, "moskgrad");
  CHECK(throws<FileError>([&] { detail::parse_safetensors(files::bytes(bad), "bad"); },
                          "in the metadata is damaged; expected 'maskgrad crc32 ' and 8 digits; "
                          "take another copy of the file"));
  const auto without = detail::safetensors_bytes(arrays, metadata);
  CHECK_FALSE(detail::SafetensorsReader(without, "old").verify());
  CHECK(throws<FileError>(
      [&] {
        detail::safetensors_bytes(arrays, {{"maskgrad_checksum", "x"}});
      },
      "safetensors_bytes: the metadata 'maskgrad_checksum' are made when a "
      "file is written; leave them out"));
}

TEST_CASE("safetensors: wide elements lie first, so that all are aligned; names keep their order") {
  const NamedArrays arrays = {{"a", files::array_of<bool>({1}, {true})},
                              {"b", files::array_of<float>({1}, {1.f})},
                              {"c", files::array_of<double>({1}, {1.})}};
  const auto file = files::text(detail::safetensors_bytes(arrays));
  CHECK(file.substr(8) ==
        "{\"a\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[12,13]},"
        "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]},"
        "\"c\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}    " +
            std::string("\0\0\0\0\0\0\xF0\x3F\0\0\x80\x3F\1", 13));
}

TEST_CASE("safetensors: what JSON allows is read") {
  CHECK(parsed(safetensors("{}")) == Safetensors{});
  CHECK(parsed(safetensors(
            "{ \"a\\u00e9\" :\n{\"data_offsets\":[0,1], \"shape\" : [] ,\t\"dtype\":\"U8\"} }  ",
            "\x07")) == Safetensors{{{"a\xC3\xA9", files::array_of<std::int64_t>({}, {7})}}, {}});
  CHECK(parsed(safetensors("{\"__metadata__\":{}}")) == Safetensors{});
  // The order of the header need not be that of the data.
  const auto file =
      parsed(safetensors("{\"b\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[1,2]},"
                         "\"a\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
                         "\x01\xFF"));
  CHECK(file.arrays == NamedArrays{{"b", files::array_of<std::int64_t>({1}, {-1})},
                                   {"a", files::array_of<std::int64_t>({1}, {1})}});
}

TEST_CASE("safetensors: one array is read without the others, as often as wanted") {
  // The other one holds a bool that is none, and that does not matter.
  const auto text = safetensors(
      "{\"a\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]},"
      "\"b\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[1,2]}}",
      "\x01\x02");
  const detail::SafetensorsReader reader(files::bytes(text), "x.safetensors");
  CHECK(reader.read("a") == files::array_of<std::int64_t>({1}, {1}));
  CHECK(reader.read("a") == files::array_of<std::int64_t>({1}, {1}));
  CHECK(files::message_of([&] { reader.read("b"); }) ==
        "parse_safetensors: x.safetensors, byte 116: a bool element is the byte 2; expected 0 or "
        "1; write it as "
        "uint8 or repair it");
  CHECK(files::message_of([&] { reader.read("c"); }) ==
        "parse_safetensors: x.safetensors holds no array 'c'; expected one of its 2: 'a', 'b'; see "
        "names()");
}

TEST_CASE("safetensors: names and texts that are refused when written") {
  const auto refused = [](const std::string& name) {
    return files::message_of([&] {
      detail::safetensors_bytes({{name, files::array_of<bool>({}, {true})}});
    });
  };
  const std::string advice = " is '__metadata__', holds a NUL or is not UTF-8; give another name";
  CHECK(refused("__metadata__") == "safetensors_bytes: the name '__metadata__'" + advice);
  CHECK(refused(std::string(1, '\0')) == "safetensors_bytes: the name '\\x00'" + advice);
  CHECK(refused("\xED\xA0\x80") == "safetensors_bytes: the name '\\xed\\xa0\\x80'" + advice);
  CHECK(refused("") == "no error");
  const auto one = files::array_of<bool>({}, {true});
  CHECK(files::message_of([&] {
          detail::safetensors_bytes({{"a", one}, {"a", one}});
        }) == "safetensors_bytes: the name 'a' comes twice; give every array a name of its own");
  CHECK(files::message_of([&] {
          detail::safetensors_bytes({}, {{"key", "\x80"}});
        }) == "safetensors_bytes: the metadata 'key' are not UTF-8; give texts only");
}

}  // namespace maskgrad::tests::test_safetensors
