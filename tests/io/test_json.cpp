#include <doctest/doctest.h>

#include <maskgrad/core/io/json.hpp>

namespace maskgrad::tests::test_json {
namespace {

using detail::parse_json;

std::string trouble(std::string_view text, JsonLimits limits = {}) {
  return parse_json(text, limits).trouble;
}

TEST_CASE("JSON is parsed as it stands") {
  for (const char* text : {"null", "true", "-3", "18446744073709551615", "0.5", "\"a\\u0000b\"",
                           "[]", "{}", R"({"b":[1,[2,{"c":null}],{}],"a":"ä","":false})"}) {
    const auto [json, wrong] = parse_json(text);
    CHECK(wrong == "");
    CHECK(json == detail::Json::parse(text));
    CHECK(detail::json_text(json) == detail::Json::parse(text).dump());
  }
}

TEST_CASE("what is no JSON is refused without an exception of the parser") {
  for (const std::string text :
       {"", "{", "[1,]", "nul", "1e999", "\"\xff\"", "[1] 2", "{\"a\" 1}", "\xEF\xBB", "\"\n\""}) {
    CAPTURE(text);
    CHECK(trouble(text) != "");
  }
  CHECK(trouble(R"({"a": 1, "b": {"c": 1, "d": 2, "c": 3}})") == "an object has 'c' twice");
}

TEST_CASE("depth and values have bounds, which the trouble says") {
  const std::string deep(1000, '[');
  CHECK(trouble(deep + std::string(1000, ']')) == "");
  CHECK(trouble("[" + deep + std::string(1001, ']')) ==
        "it is nested more than 1000 deep; JsonLimits::depth raises that");
  CHECK(trouble(std::string(1'000'000, '[')) ==
        "it is nested more than 1000 deep; JsonLimits::depth raises that");
  CHECK(trouble("[1,2,3]", {.values = 4}) == "");
  CHECK(trouble("[1,2,3]", {.values = 3}) ==
        "it holds more than 3 values; JsonLimits::values raises that");
  const auto json = parse_json("[[1,2],3]").json;
  CHECK(detail::beyond_limits(json, {.depth = 2, .values = 5}) == "");
  CHECK(detail::beyond_limits(json, {.depth = 1}).find("more than 1 deep") != std::string::npos);
  CHECK(detail::beyond_limits(json, {.values = 4}).find("more than 4 values") != std::string::npos);
  {
    const JsonLimitsScope scope({.depth = 1});
    CHECK(parse_json("[[1]]").trouble != "");
    CHECK(parse_json("[1]").trouble == "");
  }
  CHECK(parse_json("[[1]]").trouble == "");
}

TEST_CASE("an object of very many members is no more work than they are") {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += "\"" + std::to_string(i) + "\":{},";
  text.back() = '}';
  CHECK(parse_json(text).json.size() == 200'000);
}

}  // namespace
}  // namespace maskgrad::tests::test_json
