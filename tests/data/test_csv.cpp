#include <doctest/doctest.h>

#include <cmath>

#include "data/csv_texts.hpp"
#include "data/sequences.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_csv {
namespace {

using Steps = std::vector<std::vector<float>>;

TEST_CASE("csv: lines of a sequence in their order, wherever they stand") {
  const Dataset data = read_csv("sequence,a,b\none,1,2\ntwo,-3,4e1\none, 5 ,+6\n");
  CHECK(data.size() == 2);
  CHECK(steps_of(data.batch({0, 1}).inputs[0]) == Steps{{1, 2, 5, 6}, {-3, 40}});
  CHECK_FALSE(data.batch({0}).target.defined());
}

TEST_CASE("csv: quotes, CRLF, a mark in front, no line break at the end") {
  const Dataset data = read_csv(
      "\xEF\xBB\xBF\"sequence\",\"a,\"\"b\"\"\",c\r\n\"x\ny\",\"1\",2\r\n\"x\ny\",3,\"4\"\r\nz,5,6",
      {.columns = {"c", "a,\"b\""}});
  CHECK(steps_of(data.batch({0, 1}).inputs[0]) == Steps{{2, 1, 4, 3}, {6, 5}});
}

TEST_CASE("csv: columns as targets, weights, parts and further inputs, by name") {
  const Dataset data = read_csv(
      "id,x,y,tag,w,split,word\n"
      "a,1,7,0.5,2,train,4\n"
      "a,2,7,1,2,train,5\n"
      "b,3,8,2,3,test,6\n",
      {.inputs = {{"values"}, {"word", DType::i64}},
       .target = {.name = "tag"},
       .weight = {.name = "w", .per = ValuesPer::sequence},
       .sequence = "id",
       .columns = {"x"}});
  const Batch b = data.batch({0, 1});
  CHECK(steps_of(b.inputs[0]) == Steps{{1, 2}, {3}});
  CHECK(b.inputs[1].to_vector<std::int64_t>() == Numbers{4, 5, 6, 0});
  CHECK(steps_of(b.target) == Steps{{0.5f, 1}, {2}});
  CHECK(b.weight.to_vector<float>() == std::vector<float>{2, 3});
  CHECK(data.part_names() == std::vector<std::string>{"train", "test"});
  CHECK(data.part("test").size() == 1);
  const std::string labeled = "sequence,x,labels\na,1,7\na,2,7\nb,3,8\n";
  const Dataset classes =
      read_csv(labeled, {.target = {.name = "labels", .per = ValuesPer::sequence}});
  CHECK(classes.batch({0, 1}).target.to_vector<std::int64_t>() == Numbers{7, 8});
  CHECK(classes.batch({0}).inputs[0].shape() == Shape{1, 2, 1});
  // Of each step unless told, also where there are as many steps as sequences.
  const Batch each = read_csv("sequence,x,labels\na,1,7\nb,3,8\n").batch({0, 1});
  CHECK(each.target.mask().same(each.inputs[0].mask()));
}

TEST_CASE("csv: nan is a number that is written, an empty field is none") {
  const auto steps = steps_of(read_csv("sequence,a\n1,nan\n1,inf\n").batch({0}).inputs[0]);
  CHECK(std::isnan(steps[0][0]));
  CHECK(std::isinf(steps[0][1]));
  CHECK(
      refusal("sequence,a,b\n1,2,3\n1,,3\n") ==
      "x.csv, line 3, column 'a': the value is missing; expected a number; fill it in, write nan, "
      "or leave the line out");
  CHECK(refusal("sequence,a\n1,  \n").find("line 2, column 'a': the value is missing") !=
        std::string::npos);
  CHECK(refusal("sequence,a\n,5\n") ==
        "x.csv, line 2, column 'sequence': the sequence's id is missing; fill it in");
}

TEST_CASE("csv: lines that do not fit") {
  CHECK(refusal("") == "x.csv, line 1: the file is empty; expected a line with names of columns");
  CHECK(refusal("sequence,a,a\n") ==
        "x.csv, line 1, column 'a': the name comes twice; give every column a name of its own");
  CHECK(refusal("sequence,\n") == "x.csv, line 1: column 2 has no name; give it one");
  CHECK(refusal("sequence,a\n1,2\n1\n") ==
        "x.csv, line 3: 1 fields; expected 2, as the first line has");
  CHECK(refusal("sequence,a\n1,2\n\n1,3\n") == "x.csv, line 3: the line is empty; leave it out");
  CHECK(refusal("sequence,a\n1,abc\n") ==
        "x.csv, line 2, column 'a': 'abc' is no number; expected a number, as 12 or -0.5e3");
  CHECK(refusal("sequence,a\n1,1e999\n").find("'1e999' is out of range") != std::string::npos);
  CHECK(refusal("sequence,a\n1,+-2\n").find("'+-2' is no number") != std::string::npos);
  CHECK(refusal("sequence,a\n1,+\n").find("'+' is no number") != std::string::npos);
  CHECK(refusal("sequence,a\n1,1 2\n").find("'1 2' is no number") != std::string::npos);
  CHECK(refusal("sequence,a\n1,\"2\n") ==
        "x.csv, line 2: a quote begins here that does not end; write \" inside quotes as \"\"");
  CHECK(refusal("sequence,a\n1,\"2\"3\n") ==
        "x.csv, line 2: '3' follows a quote that ends; expected a comma or the end of the line");
  CHECK(refusal("sequence,a\n1,2\"\n") ==
        "x.csv, line 2: a quote stands inside a field; put the whole field in quotes, and write \" "
        "as \"\"");
  // Line breaks in quotes count.
  CHECK(refusal("sequence,a\n\"x\n\ny\",2\nz,q\n").find("line 5, column 'a': 'q'") !=
        std::string::npos);
}

TEST_CASE("csv: columns that are not there or differ within a sequence") {
  CHECK(refusal("id,a\n1,2\n") ==
        "x.csv has no column 'sequence' (.sequence); there are: id, a; where all lines are one "
        "sequence, set .layout to StepLayout::one_sequence");
  CHECK(refusal("sequence,a\n1,2\n", {.target = {"b"}}).find("no column 'b' (.target)") !=
        std::string::npos);
  CHECK(refusal("sequence,a\n1,2\n", {.columns = {"c"}}).find("no column 'c' (.columns)") !=
        std::string::npos);
  CHECK(refusal("sequence,a,labels\ns,2,1\ns,2,3\n",
                {.target = {.name = "labels", .per = ValuesPer::sequence}}) ==
        "x.csv, line 3, column 'labels': '3' differs from what the lines before say for sequence "
        "'s'; expected the same in all its lines");
  CHECK(refusal("sequence,a,split\ns,2,train\ns,2,test\n").find("line 3, column 'split': 'test'") !=
        std::string::npos);
  CHECK(refusal("sequence,a,lengths\n1,2,3\n", {.target = {"lengths"}}) ==
        "x.csv: the column 'lengths' (.target) has a name that stands for something else; rename "
        "it");
  CHECK(refusal("sequence,a,mask\n1,2,0.5\n", {.target = {"mask"}}) == "no error");
  CHECK(
      refusal("sequence,a\n1,2\n", {.mask = "m"}) ==
      "x.csv is a CSV file, which has no .lengths and no .mask; say in .sequence which column has "
      "the id of a line's sequence");
  CHECK(refusal("sequence\n1\n").find("no array 'values'") != std::string::npos);
}

TEST_CASE("csv: a header alone is a set of nothing, and read as that when this is wanted") {
  CHECK(read_csv("sequence,a\n", {.allow_empty = true}).size() == 0);
  CHECK(refusal("sequence,a\n") ==
        "x.csv: nothing is there: 0 sequences without a step; expected at least one step; set "
        ".allow_empty where a set of nothing is meant");
}

}  // namespace
}  // namespace maskgrad::tests::test_csv
