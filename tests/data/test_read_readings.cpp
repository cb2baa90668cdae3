#include <doctest/doctest.h>

#include <cmath>

#include <maskgrad/core/io/npy.hpp>
#include <maskgrad/core/io/npz.hpp>

#include "data/sequences.hpp"
#include "io/files.hpp"
#include "io/zip_builder.hpp"

namespace maskgrad::tests::test_read_readings {
namespace {

using files::array_of;
using Steps = std::vector<std::vector<float>>;

Dataset read_arrays(const NamedArrays& arrays, const ReadOptions& options = {}) {
  const files::TemporaryFolder folder;
  write_npz(folder / "x.npz", arrays);
  return read_dataset(folder / "x.npz", options);
}

std::string refusal(const NamedArrays& arrays, const ReadOptions& options = {}) {
  try {
    read_arrays(arrays, options);
  } catch (const Error& error) {
    const std::string message = error.what();
    return message.substr(message.find("x.npz"));
  }
  return "no error";
}

NamedArray ints(std::string name, std::vector<std::int64_t> shape,
                const std::vector<std::int64_t>& values) {
  return {std::move(name), Array::of<std::int64_t>(std::move(shape), values)};
}

/// 0, 1, 2, ... of a shape.
NamedArray counting(std::string name, std::vector<std::int64_t> shape) {
  Array made{DType::f32, std::move(shape), {}};
  std::vector<float> values(static_cast<std::size_t>(made.size()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  return {std::move(name), Array::of<float>(made.shape, values)};
}

TEST_CASE("read: rows or padded, where the lengths fit both") {
  const NamedArrays both{counting("values", {3, 2}), ints("lengths", {3}, {2, 0, 1})};
  CHECK(refusal(both) ==
        "x.npz: 'values' has the shape [3, 2] and 'lengths' 3 sequences of 3 steps together, 2 at "
        "most; that fits a row for each step, and padded sequences; set .layout to "
        "StepLayout::rows or StepLayout::padded");
  const Dataset rows = read_arrays(both, {.layout = StepLayout::rows});
  CHECK(steps_of(rows.batch({0, 1, 2}).inputs[0]) == Steps{{0, 1, 2, 3}, {}, {4, 5}});
  const Dataset padded = read_arrays(both, {.layout = StepLayout::padded});
  CHECK(steps_of(padded.batch({0, 1, 2}).inputs[0]) == Steps{{0, 1}, {}, {4}});
  const NamedArrays deep{counting("values", {4, 3, 2}), ints("lengths", {4}, {1, 1, 1, 1})};
  CHECK(refusal(deep).find("set .layout") != std::string::npos);
  CHECK(read_arrays(deep, {.layout = StepLayout::rows}).batch({0}).inputs[0].shape() ==
        Shape{1, 1, 3, 2});
  // What fits one of them needs no option; what was chosen must fit.
  CHECK(read_arrays({counting("values", {3, 2}), ints("lengths", {2}, {2, 1})}).size() == 2);
  CHECK(read_arrays({counting("values", {3, 2}), ints("lengths", {3}, {2, 2, 1})}).steps() == 5);
  CHECK(refusal({counting("values", {3, 2}), ints("lengths", {2}, {2, 1})},
                {.layout = StepLayout::padded}) ==
        "x.npz: 'values' has the shape [3, 2] and 'lengths' 2 sequences of 3 steps together, 2 at "
        "most; expected padded sequences [2, 2 or more, ...], as .layout says");
  // An input with lengths of its own.
  auto more = NamedArrays{counting("values", {4, 5}), ints("lengths", {3}, {2, 1, 1}),
                          counting("words", {3, 2}), ints("n", {3}, {2, 0, 1})};
  const ReadField words{.name = "words", .lengths = "n", .layout = StepLayout::padded};
  CHECK(refusal(more, {.inputs = {{"values"}, {.name = "words", .lengths = "n"}}})
            .find("'words' has the shape [3, 2] and 'n'") != std::string::npos);
  const Dataset own = read_arrays(more, {.inputs = {{"values"}, words}});
  CHECK(steps_of(own.batch({0, 2}).inputs[1]) == Steps{{0, 1}, {4}});
}

TEST_CASE("read: one sequence or several, where nothing tells the steps") {
  const NamedArrays flat{counting("values", {3, 2})};
  CHECK(refusal(flat).find("or set .layout to StepLayout::one_sequence or StepLayout::padded") !=
        std::string::npos);
  CHECK(steps_of(read_arrays(flat, {.layout = StepLayout::one_sequence}).batch({0}).inputs[0]) ==
        Steps{{0, 1, 2, 3, 4, 5}});
  CHECK(read_arrays(flat, {.layout = StepLayout::padded}).size() == 3);
  const NamedArrays cube{counting("values", {2, 3, 2})};
  CHECK(read_arrays(cube).size() == 2);
  CHECK(read_arrays(cube, {.layout = StepLayout::one_sequence}).length(0) == 2);
  CHECK(refusal(cube, {.layout = StepLayout::rows}).find("there are no lengths") !=
        std::string::npos);
  // Lengths by another name are not passed over.
  auto other = cube;
  other.push_back(ints("seq_len", {2}, {1, 2}));
  CHECK(refusal(other) ==
        "x.npz: 'values' has the shape [2, 3, 2], and 'seq_len' could tell which of its steps are "
        "valid; say so in .lengths or .mask, or set .layout to StepLayout::padded where all are");
  CHECK(read_arrays(other, {.lengths = "seq_len"}).steps() == 3);
  CHECK(read_arrays(other, {.layout = StepLayout::padded}).steps() == 6);
  CHECK(refusal({counting("values", {3, 2}), ints("lengths", {2}, {2, 1})},
                {.layout = StepLayout::one_sequence})
            .find("leave out one") != std::string::npos);
  const files::TemporaryFolder folder;
  write_npy(folder / "x.npy", counting("", {3, 2}).array);
  CHECK(read_dataset(folder / "x.npy", {.layout = StepLayout::one_sequence}).size() == 1);
}

TEST_CASE("read: nothing is said to be nothing") {
  const NamedArrays none{counting("values", {0, 4}), ints("lengths", {0}, {})};
  CHECK(refusal(none) ==
        "x.npz: nothing is there: 0 sequences without a step; expected at least one step; set "
        ".allow_empty where a set of nothing is meant");
  CHECK(read_arrays(none, {.allow_empty = true}).size() == 0);
  const NamedArrays hidden{counting("values", {2, 2, 1}),
                           {"mask", array_of<bool>({2, 2}, {false, false, false, false})}};
  CHECK(refusal(hidden).find("2 sequences without a step") != std::string::npos);
  CHECK(read_arrays(hidden, {.allow_empty = true}).steps() == 0);
}

TEST_CASE("read: labels of each step or of each sequence, where both fit") {
  const NamedArray values = counting("values", {3, 2}), lengths = ints("lengths", {3}, {1, 0, 2});
  const NamedArray labels = ints("labels", {3}, {7, 8, 9});
  const auto read = [&](ValuesPer per) {
    return read_arrays({values, lengths, labels},
                       {.target = {.name = "labels", .per = per}, .layout = StepLayout::rows})
        .batch({2})
        .target.to_vector<std::int64_t>();
  };
  CHECK(refusal({values, lengths, labels}, {.layout = StepLayout::rows}) ==
        "x.npz: the array 'labels' has the shape [3]; that fits a row for each of 3 steps, and a "
        "row for each of 3 sequences; set .per of the field to ValuesPer::step or "
        "ValuesPer::sequence");
  CHECK(read(ValuesPer::step) == Numbers{8, 9});
  CHECK(read(ValuesPer::sequence) == Numbers{9});
  CHECK(refusal({values, lengths, labels}, {.weight = {"labels"}, .layout = StepLayout::rows})
            .find("set .per") != std::string::npos);

  const NamedArray cube = counting("values", {2, 3, 1}), two = ints("lengths", {2}, {3, 1});
  const auto padded = [&](const NamedArray& target) {
    const auto text = refusal({cube, two, target});
    return text == "no error" ? text : text.substr(text.find("that"), 4);
  };
  CHECK(padded(ints("labels", {2, 3}, {4, 5, 6, 7, 8, 9})) == "no error");
  CHECK(padded(ints("labels", {2, 3}, {0, 1, 0, 1, 0, 0})) == "that");  // one class in three
  CHECK(padded(counting("labels", {2, 3})) == "that");
  CHECK(padded(counting("labels", {2, 3, 4})) == "no error");
  CHECK(padded(counting("labels", {2, 4})) == "no error");
  CHECK(refusal({cube, two, counting("w", {2, 3})}, {.weight = {"w"}}) == "no error");
}

TEST_CASE("read: padded labels beside values in rows") {
  const NamedArrays arrays{counting("values", {4, 2}), ints("lengths", {2}, {3, 1}),
                           ints("labels", {2, 3}, {1, 2, 3, 4, 0, 0})};
  CHECK(
      refusal(arrays) ==
      "x.npz: the array 'labels' has the shape [2, 3]; that fits a row for each of 2 sequences, "
      "and padded steps; set .per of the field to ValuesPer::sequence, or .lengths of the field to "
      "'lengths' where it holds padded steps");
  const Dataset steps = read_arrays(arrays, {.target = {.name = "labels", .lengths = "lengths"}});
  CHECK(steps.batch({0, 1}).target.to_vector<std::int64_t>() == Numbers{1, 2, 3, 4, 0, 0});
  CHECK(steps.batch({0, 1}).target.has_mask());
  const ReadField whole{.name = "labels", .per = ValuesPer::sequence};
  CHECK(read_arrays(arrays, {.target = whole}).batch({0, 1}).target.shape() == Shape{2, 3});
}

TEST_CASE("read: labels that are texts, and ids that are no numbers") {
  const auto letters = [](std::string_view text) {
    std::string made;
    for (const char c : text) made += files::number(static_cast<unsigned char>(c), 4);
    return made;
  };
  files::ZipBuilder zip;
  zip.add("values.npy", files::npy("|u1", "(3, 1)", "\1\2\3"));
  zip.add("lengths.npy", files::npy("<i4", "(2,)", files::number(2, 4) + files::number(1, 4)));
  zip.add("labels.npy", files::npy("<U1", "(2,)", letters("zb")));
  const files::TemporaryFolder folder;
  files::save(folder / "x.npz", zip.place().file());
  const Dataset data = read_dataset(folder / "x.npz");
  CHECK(data.class_names() == std::vector<std::string>{"b", "z"});
  CHECK(data.batch({0, 1}).target.to_vector<std::int64_t>() == Numbers{1, 0});
  CHECK_THROWS_AS(read_dataset(folder / "x.npz", {.classes = {"b"}}), FileError);
  const NamedArrays ids{{"values", array_of<float>({3}, {1, NAN, 3})},
                        ints("lengths", {2}, {2, 1})};
  CHECK(refusal(ids, {.inputs = {{"values", DType::i64}}}).find("the element nan is no i64") !=
        std::string::npos);
  CHECK(refusal(ids) == "no error");
}

}  // namespace
}  // namespace maskgrad::tests::test_read_readings
