#include <doctest/doctest.h>

#include <maskgrad/core/io/npz.hpp>

#include "data/sequences.hpp"
#include "io/files.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_read_refusals {
namespace {

using files::array_of;

/// The error of reading a file of these arrays; PATH stands for its path.
std::string refusal(const NamedArrays& arrays, const ReadOptions& options = {}) {
  const files::TemporaryFolder folder;
  const auto path = folder / "x.npz";
  write_npz(path, arrays);
  try {
    const Dataset data = read_dataset(path, options);
    for (const Batch& b : Batches{data, {.prefetch = 0}}.epoch(0)) CHECK(b.size() > 0);
  } catch (const Error& error) {
    std::string text = error.what();
    for (auto at = text.find(path.string()); at != text.npos; at = text.find(path.string())) {
      text.replace(at, path.string().size(), "PATH");
    }
    return text;
  }
  return "no error";
}

const NamedArray values{"values", array_of<float>({3, 2}, {1, 2, 3, 4, 5, 6})};
const NamedArray lengths{"lengths", array_of<std::int64_t>({2}, {1, 2})};

NamedArray lengths_of(std::initializer_list<std::int64_t> n) {
  return {"lengths", array_of<std::int64_t>({static_cast<std::int64_t>(n.size())}, n)};
}

TEST_CASE("read: files of another kind, and names that are not there") {
  CHECK(throws<FileError>([] { read_dataset("data.txt"); },
                          "read_dataset: data.txt ends in '.txt'; expected .npz, .npy, "
                          ".safetensors or .csv; rename it, or use Dataset::from_memory or "
                          "Dataset::from_callback"));
  for (const auto* name : {"none.npz", "none.npy", "none.safetensors", "none.csv"}) {
    CHECK(throws<FileError>([&] { read_dataset(name); }, name, "cannot be opened"));
  }
  CHECK(refusal({{"vales", values.array}, lengths}) ==
        "read_dataset: PATH has no array 'values' (.inputs); did you mean 'vales'? there are: "
        "vales, lengths");
  CHECK(refusal({values, lengths}, {.target = {"label"}}).find("no array 'label' (.target)") !=
        std::string::npos);
  CHECK(refusal({values, lengths}, {.weight = {"w"}}).find("no array 'w' (.weight)") !=
        std::string::npos);
  CHECK(refusal({values, lengths}, {.split = "s"}).find("no array 's' (.split)") !=
        std::string::npos);
  CHECK(refusal({values, lengths}, {.lengths = "l"}).find("no array 'l' (.lengths)") !=
        std::string::npos);
  CHECK(refusal({values, lengths}, {.mask = "m"}).find("has both 'lengths' and 'm'") !=
        std::string::npos);
  CHECK(refusal({values}, {.mask = "m"}).find("no array 'm' (.mask)") != std::string::npos);
  CHECK(refusal({}) == "read_dataset: PATH has no array 'values' (.inputs); it has none");
  CHECK(refusal({values, lengths}, {.inputs = {}}) ==
        "read_dataset: .inputs is empty; expected the names of one array or more");
}

TEST_CASE("read: lengths that do not fit") {
  CHECK(refusal({values, lengths_of({1, 3})}) ==
        "read_dataset: PATH: 'values' has the shape [3, 2] and 'lengths' 2 sequences of 4 steps "
        "together, 3 at most; expected one row for each step, or padded sequences [2, 3 or more, "
        "...]");
  CHECK(refusal({values, lengths_of({4, -1})}) ==
        "read_dataset: PATH: 'lengths' of sequence 1 is -1; expected 0 or more");
  constexpr auto huge = std::numeric_limits<std::int64_t>::max();
  CHECK(refusal({values, lengths_of({huge, huge, 5})}).find("3 sequences of 9223372036854775807") !=
        std::string::npos);
  CHECK(refusal({values, {"lengths", array_of<double>({2}, {1.5, 1.5})}})
            .find("the element 1.5 is no i64; expected a whole number") != std::string::npos);
  CHECK(refusal({values, {"lengths", array_of<std::int64_t>({1, 2}, {1, 2})}}) ==
        "read_dataset: PATH: the array 'lengths' has the shape [1, 2]; expected one axis, a number "
        "for each sequence");
  CHECK(refusal({values}) ==
        "read_dataset: PATH: there are no lengths and no mask, and 'values' has the shape [3, 2]; "
        "expected lengths [sequences], a mask [sequences, time], or values [sequences, time, ...] "
        "that are all valid; it has values; say in .lengths or .mask which array tells the steps, "
        "or set .layout to StepLayout::one_sequence or StepLayout::padded");
  CHECK(refusal({{"values", array_of<float>({}, {1})}, lengths}).find("has the shape []") !=
        std::string::npos);
}

TEST_CASE("read: lengths of another number of sequences, and rows that take no bytes") {
  const NamedArray words{"words", array_of<float>({3}, {1, 2, 3})};
  const NamedArray one{"n", array_of<std::int64_t>({1}, {3})};
  CHECK(refusal({values, lengths, words, one},
                {.inputs = {{"values"}, {"words", {}, ValuesPer::automatic, "n"}}}) ==
        "read_dataset: PATH: 'n' has 1 values; expected one for each of 2 sequences");
  constexpr std::int64_t many = std::int64_t{1} << 50;
  CHECK(refusal({{"values", {DType::f32, {many, 0}, {}}}, lengths_of({many})}) ==
        "read_dataset: PATH: the array 'values' has the shape [1125899906842624, 0]; expected rows "
        "of at least one value");
  CHECK(refusal({{"values", {DType::f32, {many, 0, 3}, {}}}}).find("at least one value") !=
        std::string::npos);
  CHECK(refusal({values, {"mask", {DType::boolean, {many, 0}, {}}}}).find("the array 'mask'") !=
        std::string::npos);
}

TEST_CASE("read: masks and padded arrays that do not fit") {
  const NamedArray mask{"mask", array_of<bool>({3, 3}, {1, 1, 1, 1, 1, 1, 1, 1, 1})};
  CHECK(
      refusal({values, mask}) ==
      "read_dataset: PATH: the array 'values' has the shape [3, 2]; expected [3, 3, ...], rows of "
      "each step");
  CHECK(refusal({values, {"mask", array_of<bool>({3}, {1, 1, 1})}}) ==
        "read_dataset: PATH: the mask 'mask' has the shape [3]; expected [sequences, time]");
  CHECK(refusal({values, {"mask", array_of<std::int64_t>({3, 2}, {1, 1, 1, 1, 1, 2})}})
            .find("the element 2 is no bool; expected 0 or 1") != std::string::npos);
  CHECK(refusal({values, lengths, mask}) ==
        "read_dataset: PATH has both 'lengths' and 'mask'; say which of them tells the steps, in "
        ".lengths or .mask");
  CHECK(refusal({values, lengths, mask}, {.lengths = "lengths"}) == "no error");
}

TEST_CASE("read: targets, weights and parts that do not fit") {
  const NamedArray five{"labels", array_of<float>({5}, {1, 2, 3, 4, 5})};
  CHECK(refusal({values, lengths, five}) ==
        "read_dataset: PATH: the array 'labels' has the shape [5]; expected a row for each of 3 "
        "steps, or a row for each of 2 sequences");
  CHECK(refusal({values, lengths, five},
                {.target = {.name = "labels", .per = ValuesPer::sequence}}) ==
        "read_dataset: PATH: the array 'labels' has the shape [5]; expected a row for each of 2 "
        "sequences");
  CHECK(refusal({values, lengths, five}, {.target = {.name = "labels", .per = ValuesPer::step}}) ==
        "read_dataset: PATH: the array 'labels' has the shape [5]; expected a row for each of 3 "
        "steps");
  CHECK(refusal({values, lengths, {"split", array_of<std::int64_t>({3}, {0, 0, 0})}}) ==
        "read_dataset: PATH: 'split' has 3 values; expected one for each of 2 sequences");
  CHECK(
      refusal({values, lengths, {"split", array_of<std::int64_t>({2}, {0, -1})}}) ==
      "read_dataset: PATH: 'split' of sequence 1 is -1; expected the number of a part, 0 or more");
  CHECK(refusal({values, lengths}, {.inputs = {{"values", DType::i64}}}) == "no error");
  const NamedArray half{"values", array_of<float>({3}, {1, 2, 0.5f})};
  CHECK(refusal({half, lengths}, {.inputs = {{"values", DType::i64}}})
            .find("entry 'values.npy', byte") != std::string::npos);
}

}  // namespace
}  // namespace maskgrad::tests::test_read_refusals
