#include <doctest/doctest.h>

#include <maskgrad/core/context.hpp>
#include <maskgrad/core/quoted.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_quoted {
namespace {

using namespace std::string_literals;

TEST_CASE("quoted: what controls a terminal is shown and not obeyed") {
  struct Row {
    std::string text, expected;
  };
  const Row rows[] = {
      {"plain", "'plain'"},
      {"", "''"},
      {"a\x1b[31mb", "'a\\x1b[31mb'"},
      {"a\nb\tc\rd"s, "'a\\x0ab\\x09c\\x0dd'"},
      {"\0\x7f"s, "'\\x00\\x7f'"},
      {"Größe 速 🎵", "'Größe 速 🎵'"},
      {"\xC2\x9B"
       "2J",
       "'\\xc2\\x9b2J'"},                           // a control of U+0080 and on
      {"\xE2\x80\xAEtxt", "'\\xe2\\x80\\xaetxt'"},  // writes from right to left
      {"\xE2\x80\xA8", "'\\xe2\\x80\\xa8'"},        // a line break by another name
      {"\xE2\x81\xA6\xEF\xBB\xBF", "'\\xe2\\x81\\xa6\\xef\\xbb\\xbf'"},
      {"\xFFz\xC3", "'\\xffz\\xc3'"},         // no UTF-8
      {"\xED\xA0\x80", "'\\xed\\xa0\\x80'"},  // half of a pair
      {std::string(80, 'a'), "'" + std::string(80, 'a') + "'"},
      {std::string(81, 'a'), "'" + std::string(80, 'a') + "...'"},
      {std::string(79, 'a') + "é", "'" + std::string(79, 'a') + "...'"},
  };
  for (const auto& row : rows) {
    CHECK(detail::in_quotes(row.text) == row.expected);
    CHECK(detail::is_utf8(detail::in_quotes(row.text)));
  }
  CHECK(detail::printable("abcdef", 3) == "abc...");
}

TEST_CASE("quoted: fields of a CSV line") {
  CHECK(detail::csv_field("loss") == "loss");
  CHECK(detail::csv_field("a,b") == "\"a,b\"");
  CHECK(detail::csv_field("say \"x\"") == "\"say \"\"x\"\"\"");
  CHECK(detail::csv_field("two\nlines") == "\"two\nlines\"");
  CHECK(detail::csv_field("\x1b\xFF") == "\\x1b\\xff");
  CHECK(detail::csv_field("") == "");
}

TEST_CASE("quoted: every message is short and harmless, whatever it quotes") {
  const auto text_of = [](const std::string& name) {
    try {
      fail<FileError>("read", "line one\nthe name {} is wrong; give another", name);
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  CHECK(text_of("a\x1b[2J\xFF") ==
        "read: line one\nthe name a\\x1b[2J\\xff is wrong; give another");
  CHECK(text_of("Größe") == "read: line one\nthe name Größe is wrong; give another");
  for (const auto& name : {std::string(3'000'000, 'n'), std::string(3'000'000, '\x1b')}) {
    const auto text = text_of(name);
    CHECK(text.size() < 3000);
    CHECK(text.starts_with("read: line one\nthe name "));
    CHECK(text.find(" bytes are left out) ... ") != text.npos);
    CHECK(text.ends_with("is wrong; give another"));
  }
  std::string lines, wide;
  for (int i = 0; i < 100'000; ++i) lines += "line\n", wide += "速";
  CHECK(text_of(lines).size() < 17'000);
  CHECK(detail::is_utf8(text_of(wide)));
  const std::string long_path(3'000'000, 'p');
  const extend::LayerScope layer("GRU", long_path);
  CHECK(text_of("x").size() < 3000);
  const extend::LayerScope odd("GRU", "a\x1b[2J");
  CHECK_THROWS_WITH_AS(fail<FileError>(odd.title(), "no"), "GRU 'a\\x1b[2J': no", FileError);
}

}  // namespace
}  // namespace maskgrad::tests::test_quoted
