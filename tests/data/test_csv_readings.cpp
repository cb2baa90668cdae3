#include <doctest/doctest.h>

#include <algorithm>

#include "data/csv_texts.hpp"
#include "data/sequences.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_csv_readings {
namespace {

using Steps = std::vector<std::vector<float>>;
using Texts = std::vector<std::string>;
using namespace std::string_literals;

TEST_CASE("csv: one line end or another") {
  struct Row {
    std::string_view text;
    LineEnd line_end = LineEnd::automatic;
  };
  for (const auto& row : {
           Row{"sequence,a\ns,1\ns,2\n"},
           Row{"sequence,a\r\ns,1\r\ns,2\r\n"},
           Row{"sequence,a\rs,1\rs,2\r"},
           Row{"sequence,a\rs,1\rs,2"},
           Row{"sequence,a\r\ns,1\ns,2"},
           Row{"sequence,a\r\ns,1\rs,2\n", LineEnd::any},
           Row{"sequence,a\n\"s\",\"1\"\n\"s\",\"2\"\n"},
       }) {
    CAPTURE(row.text);
    const Dataset data = read_csv(row.text, {.line_end = row.line_end});
    CHECK(steps_of(data.batch({0}).inputs[0]) == Steps{{1, 2}});
  }
  CHECK(refusal("sequence,a\ns,1\rs,2\n") ==
        "x.csv, line 2: a CR stands alone, but 2 lines end in LF or CRLF; expected one or the "
        "other; set .line_end to LineEnd::any if it ends a line, to LineEnd::lf if it is part of a "
        "field");
  CHECK(refusal("sequence,a\r\r\ns,1\r\r\n").find("a CR stands alone") != std::string::npos);
  // In quotes a line break is one of the field's characters.
  const ReadOptions named{.target = {.name = "b", .per = ValuesPer::sequence}};
  CHECK(read_csv("sequence,a,b\n1,2,\"x\ry\"\n", named).class_names() == Texts{"x\ry"});
  CHECK(read_csv("sequence,a,b\n1,2,x\ry\n",
                 [&] {
                   auto all = named;
                   all.line_end = LineEnd::lf;
                   return all;
                 }())
            .class_names() == Texts{"x\ry"});
}

TEST_CASE("csv: one delimiter or another") {
  for (const char d : {',', ';', '\t', '|'}) {
    std::string text = "sequence,a,\"b\"\ns,1,2\n";
    std::replace(text.begin(), text.end(), ',', d);
    CHECK(steps_of(read_csv(text).batch({0}).inputs[0]) == Steps{{1, 2}});
  }
  CHECK(steps_of(read_csv("sequence,a;b\ns,1\n").batch({0}).inputs[0]) == Steps{{1}});
  CHECK(refusal("id,a;b\n1,2\n") ==
        "x.csv, line 1: the first line can be split by ',' and by ';'; say in .delimiter which one "
        "is meant");
  CHECK(refusal("id,a;b\n1,2\n", {.sequence = "id", .delimiter = ','}) == "no error");
  CHECK(refusal("sequence;a;b\ns;1,5;2\n").find("column 'a': '1,5' is no number") !=
        std::string::npos);
  CHECK(refusal("sequence:a\ns:1\n", {.delimiter = ':'}) == "no error");
  CHECK(throws<OptionError>(
      [] { read_csv("sequence,a\ns,1\n", {.delimiter = '"'}); },
      "read_dataset: .delimiter is '\"'; expected a comma, a semicolon or the like"));
  CHECK(refusal("sequence;a\n\"s\";\"1\"2\n")
            .find("'2' follows a quote that ends; expected a ';' or the end of the line") !=
        std::string::npos);
}

TEST_CASE("csv: a header, and one sequence or several") {
  CHECK(refusal("1,2.5\n1,3\n") ==
        "x.csv has no column 'sequence' (.sequence); there are: 1, 2.5; the first line holds "
        "numbers: put the names of the columns there");
  const ReadOptions one{.layout = StepLayout::one_sequence};
  const Dataset data = read_csv("a,b\n1,2\n3,4\n", one);
  CHECK(data.size() == 1);
  CHECK(steps_of(data.batch({0}).inputs[0]) == Steps{{1, 2, 3, 4}});
  CHECK(refusal("s,b\n1,2\n", {.sequence = "s", .layout = StepLayout::one_sequence})
            .find("leave out one of them") != std::string::npos);
  CHECK(refusal("s,b\n1,2\n", {.layout = StepLayout::padded}).find("has no .lengths") !=
        std::string::npos);
  CHECK(refusal("\xFF\xFEs\0e\0"s) == "x.csv, line 1: the file is UTF-16; save it as UTF-8");
  CHECK(refusal("sequence,gr\xF6\xDF"
                "e\n1,2\n") ==
        "x.csv, line 1, column 'gr\\xf6\\xdfe': the name is no UTF-8; save the file as UTF-8");
}

TEST_CASE("csv: an id in two spellings, and an id that is none") {
  CHECK(steps_of(read_csv("sequence,a\n a,1\na ,2\n").batch({0}).inputs[0]) == Steps{{1, 2}});
  CHECK(refusal("sequence,a\n1,5\n1.0,6\n") ==
        "x.csv, line 3, column 'sequence': the sequence's id is '1.0', and above stands '1'; "
        "expected one spelling of an id; write both alike if they are one sequence, or give them "
        "other names");
  CHECK(refusal("sequence,a\n01,5\n1,6\n").find("is '1', and above stands '01'") !=
        std::string::npos);
  CHECK(read_csv("sequence,a\n1.5,5\n1.50,6\nx1,7\n9007199254740993,1\n9007199254740992,1\n")
            .size() == 5);
  CHECK(refusal("sequence,a\nnan,5\n") ==
        "x.csv, line 2, column 'sequence': the sequence's id is 'nan'; fill it in");
}

TEST_CASE("csv: labels that are texts are numbered, and their names kept") {
  const std::string text =
      "sequence,a,labels\none,1,dog\none,2,dog\ntwo,3, cat \nthree,4,\"dog\"\n";
  const Dataset each = read_csv(text);
  CHECK(each.class_names() == Texts{"cat", "dog"});
  const Batch b = each.batch({0, 1});
  CHECK(b.target.dtype() == DType::i64);
  CHECK(b.target.to_vector<std::int64_t>() == Numbers{1, 1, 0, 0});
  CHECK(b.target.has_mask());
  const ReadField whole{.name = "labels", .per = ValuesPer::sequence};
  CHECK(read_csv(text, {.target = whole}).batch({0, 1, 2}).target.to_vector<std::int64_t>() ==
        Numbers{1, 0, 1});
  const ReadOptions ordered{.target = whole, .classes = {"dog", "cow", "cat"}};
  CHECK(read_csv(text, ordered).class_names() == Texts{"dog", "cow", "cat"});
  CHECK(read_csv(text, ordered).batch({0, 1}).target.to_vector<std::int64_t>() == Numbers{0, 2});
  CHECK(refusal(text, {.classes = {"cat"}}) ==
        "x.csv, line 2, column 'labels': 'dog' is none of the 1 names in .classes; add it there");
  CHECK(throws<OptionError>(
      [&] {
        read_csv(text, {.classes = {"cat", "cat"}});
      },
      "read_dataset: .classes has 'cat' twice; expected every name once"));
  // Numbers stay numbers, unless they are names.
  const std::string numbers = "sequence,a,labels\ns,1,7\ns,2,30\n";
  CHECK(read_csv(numbers).class_names().empty());
  CHECK(read_csv(numbers).batch({0}).target.to_vector<std::int64_t>() == Numbers{7, 30});
  const Dataset named = read_csv(numbers, {.target = {.name = "labels", .texts = true}});
  CHECK(named.class_names() == Texts{"30", "7"});
}

TEST_CASE("csv: labels that are neither texts nor numbers") {
  CHECK(refusal("sequence,a,labels\ns,1,7\ns,2,n/a\n") ==
        "x.csv, line 3, column 'labels': 'n/a' is no number, but in line 2 stands one; expected "
        "numbers in all lines, or names; set .texts of the field where all are names");
  CHECK(refusal("sequence,a,labels\ns,1,cat\ns,2,3\n") ==
        "x.csv, line 3, column 'labels': '3' is a number, but in line 2 stands none; expected "
        "numbers in all lines, or names; set .texts of the field where all are names");
  CHECK(refusal("sequence,a,labels\ns,1,cat\ns,2,\n") ==
        "x.csv, line 3, column 'labels': the name is missing; fill it in, or leave the line out");
  CHECK(refusal("sequence,a,labels\ns,1,f\xFCr\n") ==
        "x.csv, line 2, column 'labels': 'f\\xfcr' is no UTF-8; save the file as UTF-8");
  CHECK(refusal("sequence,a,labels\ns,1,1e999\n").find("out of range") != std::string::npos);
  CHECK(refusal("sequence,a,word\ns,1,cat\n", {.inputs = {{"values"}, {"word"}}})
            .find("'cat' is no number") != std::string::npos);
  CHECK(refusal("sequence,a,labels\ns,1,x\ns,2,y\n",
                {.target = {.name = "labels", .per = ValuesPer::sequence}})
            .find("'y' differs from what the lines before say for sequence 's'") !=
        std::string::npos);
}

}  // namespace
}  // namespace maskgrad::tests::test_csv_readings
