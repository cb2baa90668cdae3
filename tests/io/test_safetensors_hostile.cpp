#include <doctest/doctest.h>

#include <maskgrad/core/io/safetensors.hpp>

#include "files.hpp"

namespace maskgrad::tests::test_safetensors_hostile {

using namespace maskgrad;

namespace {

std::string refusal(std::string_view header, std::string_view data = {}) {
  const auto file = files::number(header.size(), 8) + std::string(header) + std::string(data);
  return files::message_of([&] { detail::parse_safetensors(files::bytes(file), "x"); });
}

std::string field(std::string_view name, std::string_view dtype, std::string_view shape,
                  std::string_view offsets) {
  return "\"" + std::string(name) + "\":{\"dtype\":\"" + std::string(dtype) +
         "\",\"shape\":" + std::string(shape) + ",\"data_offsets\":" + std::string(offsets) + "}";
}

std::string one(std::string_view dtype, std::string_view shape, std::string_view offsets) {
  return "{" + field("a", dtype, shape, offsets) + "}";
}

const std::string head = "parse_safetensors: x, byte ", again = "; write the file again";

}  // namespace

TEST_CASE("safetensors: fronts that are none") {
  const auto whole = [](const std::string& file) {
    return files::message_of([&] { detail::parse_safetensors(files::bytes(file), "x"); });
  };
  CHECK(whole("") == head +
                         "0: 8 bytes are needed here, but the file ends at byte 0; it was cut "
                         "short, make it again");
  CHECK(whole(files::number(100, 8) + "{}") == head +
                                                   "0: the header is to have 100 bytes, but 2 "
                                                   "follow; the file was cut short, make it again");
  CHECK(whole(files::number(UINT64_MAX, 8) + "{}") ==
        head +
            "0: the header is to have 18446744073709551615 bytes; expected at most 100000000; this "
            "is no "
            "safetensors file, or a damaged one");
  CHECK(refusal("") ==
        head +
            "8: the header does not begin like JSON; expected JSON that begins with an open brace" +
            again);
  CHECK(refusal(" {}") ==
        head +
            "8: the header does not begin like JSON; expected JSON that begins with an open brace" +
            again);
  CHECK(refusal("{\"\x01\"}") ==
        head +
            "10: the header has a control character; expected JSON that begins with an open brace" +
            again);
}

TEST_CASE("safetensors: headers that are no JSON") {
  for (auto header : {"{", "{\"a", "{\"a\":", "{\"a\":}", "{} {}", "{},", "{\"\xFF\":{}}",
                      "{\"\\ud800\":{}}", "{'a':1}", "{\"a\":tru}", "{/*x*/}", "{\"a\":[01]}"}) {
    CAPTURE(header);
    CHECK_THROWS_AS(
        detail::parse_safetensors(
            files::bytes(files::number(std::string_view(header).size(), 8) + header), "x"),
        FileError);
  }
  CHECK(refusal("{\"a\"}").starts_with(
      head + "13: the header is no JSON ([json.exception.parse_error.101] parse error at line 1"));
  // However long what is wrong, the message stays short.
  CHECK(refusal("{" + std::string(100000, 'x')).size() < 400);
}

TEST_CASE("safetensors: JSON that is something else") {
  CHECK(refusal("{\"a\":1}") ==
        head + "15: the header, array 'a', has a number here; expected an object in braces" +
            again);
  CHECK(refusal("{\"a\":[]}") ==
        head + "14: the header, array 'a', has a list here; expected an object in braces" + again);
  CHECK(refusal("{\"a\":null}") ==
        head + "17: the header, array 'a', has null here; expected an object in braces" + again);
  CHECK(refusal("{\"__metadata__\":\"x\"}").find("has a text here; expected an object in braces") !=
        std::string::npos);
  CHECK(refusal("{\"__metadata__\":{\"k\":1}}").find("has a number here; expected a text") !=
        std::string::npos);
  CHECK(refusal("{\"__metadata__\":{\"k\":{}}}").find("has an object here; expected a text") !=
        std::string::npos);
  CHECK(refusal("{\"a\":{}}") ==
        head + "15: the array 'a' lacks one of dtype, shape and data_offsets" + again);
  CHECK(refusal("{\"a\":{\"more\":1}}") ==
        head + "20: the array 'a' has the field 'more'; expected dtype, shape and data_offsets" +
            again);
  CHECK(refusal(one("F32", "3", "[0,4]"))
            .find("array 'a', has a number here; expected a shape, as [2, 3]") !=
        std::string::npos);
  CHECK(refusal(one("F32", "[\"1\"]", "[0,4]"))
            .find("has a text here; expected a shape, as [2, 3]") != std::string::npos);
  CHECK(refusal(one("F32", "[-1]", "[0,4]")).find("has a negative number here; expected a shape") !=
        std::string::npos);
  CHECK(refusal(one("F32", "[1.0]", "[0,4]")).find("has a number that is no 64-bit integer here") !=
        std::string::npos);
  CHECK(refusal(one("F32", "[1e0]", "[0,4]")).find("has a number that is no 64-bit integer here") !=
        std::string::npos);
  CHECK(refusal(one("F32", "[18446744073709551616]", "[0,4]")).find("no 64-bit integer") !=
        std::string::npos);
  CHECK(
      refusal(one("F32", "[1]", "[0]")).find("has fewer here; expected two offsets, as [0, 24]") !=
      std::string::npos);
  CHECK(refusal(one("F32", "[1]", "[0,4,8]")).find("has a number here; expected two offsets") !=
        std::string::npos);
  CHECK(refusal(one("F8_E4M3", "[1]", "[0,1]"), "x") ==
        head +
            "31: the array 'a' is of type 'F8_E4M3'; expected F64 F32 F16 BF16 I64 I32 I16 I8 U64 "
            "U32 U16 U8 or "
            "BOOL; convert it before saving");
}

TEST_CASE("safetensors: nesting without end is refused where it begins") {
  for (auto brace : {'[', '{'}) {
    const std::string deep(1000000, brace);
    CHECK(refusal("{\"a\":" + (brace == '{' ? "{\"dtype\":" + deep : deep)).starts_with(head));
  }
  CHECK(refusal(one("F32", std::string(100000, '['), "[0,4]")) ==
        head + "38: the header, array 'a', has a list here; expected a shape, as [2, 3]" + again);
}

TEST_CASE("safetensors: what comes twice") {
  const auto a = field("a", "U8", "[1]", "[0,1]");
  CHECK(refusal("{" + a + "," + a + "}", "x") ==
        head + "8: the array 'a' comes twice in the header; expected every name once" + again);
  CHECK(refusal("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"I8\"}}") ==
        head + "34: the array 'a' has dtype twice; expected it once" + again);
  CHECK(refusal("{\"__metadata__\":{},\"__metadata__\":{}}")
            .find("has '__metadata__' twice; expected it once") != std::string::npos);
  CHECK(refusal("{\"__metadata__\":{\"k\":\"1\",\"k\":\"1\"}}")
            .find("'__metadata__' has a key twice") != std::string::npos);
  CHECK(refusal("{\"__metadata__\":{\"\":\"1\",\"\":\"1\"}}")
            .find("'__metadata__' has a key twice") != std::string::npos);
  CHECK(refusal("{\"a\\u0000\":{}}").find("the name 'a\\x00' holds a NUL") != std::string::npos);
}

TEST_CASE("safetensors: stretches that do not fit") {
  const auto begin = std::to_string(8 + one("F32", "[2]", "[0,8]").size());
  CHECK(refusal(one("F32", "[2]", "[0,8]"), "1234567") ==
        head + begin +
            ": the array 'a' is to lie at bytes 0 to 8 of the data; expected a stretch of its 7 "
            "bytes; the "
            "file was cut short or is no honest one");
  CHECK(refusal(one("F32", "[2]", "[8,0]"), "12345678")
            .find("is to lie at bytes 8 to 0 of the data") != std::string::npos);
  CHECK(refusal(one("F32", "[2]", "[0,18446744073709551615]"), "x")
            .find("to 18446744073709551615 of") != std::string::npos);
  CHECK(refusal(one("F32", "[3]", "[0,8]"), "12345678") ==
        head + begin +
            ": the array 'a' has 8 bytes; its shape of 1 axes and its type of 4 bytes need 12" +
            again);
  CHECK(refusal(one("F32", "[4611686018427387904,4]", "[0,0]"))
            .find("need more than can be counted") != std::string::npos);
  CHECK(refusal(one("F32", "[0,9223372036854775807,9]", "[0,0]"))
            .find("need more than can be counted") != std::string::npos);
  CHECK(refusal(one("F32", "[9223372036854775808]", "[0,0]"))
            .find("has the extent 9223372036854775808 on axis 0") != std::string::npos);
  std::string many = "[1";
  for (int i = 0; i < 64; ++i) many += ",1";
  CHECK(refusal(one("U8", many + "]", "[0,1]"), "x")
            .find("on axis 64; expected at most 2^63 - 1 and 64 axes") != std::string::npos);
}

TEST_CASE("safetensors: overlaps, holes and what is left over") {
  const auto two = [](std::string_view first, std::string_view second) {
    return refusal(
        "{" + field("a", "U8", "[2]", first) + "," + field("b", "U8", "[2]", second) + "}", "1234");
  };
  CHECK(two("[0,2]", "[2,4]") == "no error");
  CHECK(two("[2,4]", "[0,2]") == "no error");
  const std::string rule =
      ", where the one before ends: arrays may neither overlap nor leave holes";
  CHECK(two("[0,2]", "[1,3]") ==
        head + "115: the array 'b' begins at byte 1 of the data; expected 2" + rule);
  CHECK(two("[0,2]", "[0,2]") ==
        head + "115: the array 'b' begins at byte 0 of the data; expected 2" + rule);
  CHECK(two("[1,3]", "[2,4]") ==
        head + "113: the array 'a' begins at byte 1 of the data; expected 0" + rule);
  CHECK(refusal(one("U8", "[2]", "[0,2]"), "123") ==
        head + "63: 1 bytes follow the last array; expected the end of the file");
  CHECK(refusal("{}", "x") ==
        head + "10: 1 bytes follow the last array; expected the end of the file");
  // An array of nothing has a place too, and it may not be inside another.
  CHECK(
      refusal("{" + field("a", "U8", "[2]", "[0,2]") + "," + field("b", "U8", "[0]", "[1,1]") + "}",
              "12")
          .find("the array 'b' begins at byte 1 of the data; expected 2") != std::string::npos);
}

TEST_CASE("safetensors: every file cut short is refused") {
  const auto whole = files::load(files::fixture("all.safetensors"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK_THROWS_AS(detail::parse_safetensors(files::bytes(whole).first(size), "x"), FileError);
  }
}

}  // namespace maskgrad::tests::test_safetensors_hostile
