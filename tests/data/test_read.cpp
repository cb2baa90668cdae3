#include <doctest/doctest.h>

#include <maskgrad/core/io/npy.hpp>
#include <maskgrad/core/io/npz.hpp>
#include <maskgrad/core/io/safetensors.hpp>

#include "data/sequences.hpp"
#include "io/files.hpp"
#include "io/zip_builder.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_read {
namespace {

using files::array_of;
using Steps = std::vector<std::vector<float>>;

/// Sequences of 3, 0 and 1 steps of two features.
NamedArrays arrays() {
  return {{"values", array_of<double>({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8})},
          {"lengths", array_of<std::int64_t>({3}, {3, 0, 1})},
          {"labels", array_of<std::int64_t>({3, 1}, {7, 8, 9})},
          {"tags", array_of<std::int64_t>({4}, {1, 2, 3, 4})},
          {"w", array_of<float>({3}, {0.5f, 1, 2})},
          {"split", array_of<std::int64_t>({3}, {1, 0, 1})}};
}

void check(const Dataset& data) {
  CHECK(data.size() == 3);
  CHECK(data.steps() == 4);
  const Batch b = data.batch({2, 0, 1});
  CHECK(b.inputs[0].dtype() == DType::f32);
  CHECK(b.inputs[0].shape() == Shape{3, 3, 2});
  CHECK(steps_of(b.inputs[0]) == Steps{{7, 8}, {1, 2, 3, 4, 5, 6}, {}});
  CHECK(b.target.to_vector<std::int64_t>() == Numbers{9, 7, 8});
  CHECK_FALSE(b.weight.defined());
  CHECK(data.part(1).batch({1}).target.to_vector<std::int64_t>() == Numbers{9});
}

TEST_CASE("read: values and lengths, by their usual names") {
  const files::TemporaryFolder folder;
  write_npz(folder / "x.npz", arrays());
  check(read_dataset(folder / "x.npz"));
  write_npz(folder / "x.npz", arrays(), Compression::deflated);
  check(read_dataset(folder / "x.npz"));
  write_safetensors(folder / "x.safetensors", arrays());
  check(read_dataset(folder / "x.safetensors"));
  for (const auto& [name, array] : arrays()) {
    write_npy(folder / (name == "values" ? "x.npy" : "x_" + name + ".npy"), array);
  }
  write_npy(folder / "other_lengths.npy", array_of<float>({1}, {9}));
  check(read_dataset(folder / "x.npy"));
}

TEST_CASE("read: other arrays by name, types and targets of each step") {
  const files::TemporaryFolder folder;
  write_npz(folder / "x.npz", arrays());
  const Batch b =
      read_dataset(folder / "x.npz", {.inputs = {{"values", DType::f64}, {"tags", DType::i64}},
                                      .target = {.name = "tags", .per = ValuesPer::step},
                                      .weight = {"w"}})
          .batch({0, 2});
  CHECK(b.inputs[0].to_vector<double>() == std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0});
  CHECK(b.inputs[1].to_vector<std::int64_t>() == Numbers{1, 2, 3, 4, 0, 0});
  CHECK(b.target.dtype() == DType::i64);
  CHECK(b.target.to_vector<std::int64_t>() == Numbers{1, 2, 3, 4, 0, 0});
  CHECK(b.weight.to_vector<float>() == std::vector<float>{0.5f, 2});
  // Ids [steps, 1] lose their last axis.
  write_npz(folder / "ids.npz", {{"values", array_of<float>({3, 1}, {4, 5, 6})},
                                 {"lengths", array_of<double>({2}, {1, 2})}});
  const Dataset ids = read_dataset(folder / "ids.npz", {.inputs = {{"values", DType::i64}}});
  CHECK(ids.batch({0, 1}).inputs[0].shape() == Shape{2, 2});
  CHECK(ids.batch({1}).inputs[0].to_vector<std::int64_t>() == Numbers{5, 6});
}

TEST_CASE("read: an input with lengths of its own") {
  const files::TemporaryFolder folder;
  auto all = arrays();
  all.push_back({"words", array_of<std::int64_t>({5}, {1, 2, 3, 4, 5})});
  all.push_back({"words_lengths", array_of<std::int64_t>({3}, {1, 3, 1})});
  write_npz(folder / "x.npz", all);
  const Batch b =
      read_dataset(
          folder / "x.npz",
          {.inputs = {{"values"}, {"words", DType::i64, ValuesPer::automatic, "words_lengths"}}})
          .batch({1, 2});
  CHECK(b.inputs[0].mask().lengths() == Numbers{0, 1});
  CHECK(b.inputs[1].to_vector<std::int64_t>() == Numbers{2, 3, 4, 5, 0, 0});
}

TEST_CASE("read: padded arrays, by lengths, by a mask with holes, or all valid") {
  const files::TemporaryFolder folder;
  const auto values = array_of<float>({2, 3, 1}, {1, 2, 3, 4, 5, 6});
  const auto tags = array_of<std::int64_t>({2, 3}, {10, 20, 30, 40, 50, 60});
  const NamedArrays both{{"values", values}, {"labels", tags}};
  const auto read = [&](NamedArray steps) {
    auto all = both;
    if (!steps.name.empty()) all.push_back(std::move(steps));
    write_npz(folder / "x.npz", all);
    return read_dataset(folder / "x.npz").batch({1, 0});
  };
  Batch b = read({"lengths", array_of<std::int64_t>({2}, {1, 2})});
  CHECK(steps_of(b.inputs[0]) == Steps{{4, 5}, {1}});
  CHECK(b.target.to_vector<std::int64_t>() == Numbers{40, 50, 10, 0});
  b = read({"mask", array_of<bool>({2, 3}, {true, false, true, false, true, true})});
  CHECK(steps_of(b.inputs[0]) == Steps{{5, 6}, {1, 3}});
  CHECK(b.target.to_vector<std::int64_t>() == Numbers{50, 60, 10, 30});
  b = read({"mask", array_of<std::int64_t>({2, 3}, {0, 0, 0, 1, 0, 1})});
  CHECK(steps_of(b.inputs[0]) == Steps{{4, 6}, {}});
  b = read({});
  CHECK(steps_of(b.inputs[0]) == Steps{{4, 5, 6}, {1, 2, 3}});
  const Dataset holes = [&] {
    write_npz(folder / "x.npz",
              {{"values", array_of<float>({1, 6}, {1, 2, 3, 4, 5, 6})},
               {"mask", array_of<bool>({1, 6}, {true, false, true, true, false, true})}});
    return read_dataset(folder / "x.npz");
  }();
  CHECK(steps_of(holes.pieces(2).batch({0, 1}).inputs[0]) == Steps{{1, 3}, {4, 6}});
  CHECK(steps_of(holes.truncated(3, KeepSteps::last).batch({0}).inputs[0]) == Steps{{3, 4, 6}});
}

TEST_CASE("read: narrow types are converted for each batch, parts and classes have names") {
  const files::TemporaryFolder folder;
  const auto text = [](std::string_view letters) {
    std::string made;
    for (const char c : letters) made += files::number(static_cast<unsigned char>(c), 4);
    return made;
  };
  files::ZipBuilder zip;
  zip.add("values.npy", files::npy("|u1", "(3, 2)", "\1\2\3\4\5\xFF"));
  zip.add("lengths.npy", files::npy("<i4", "(2,)", files::number(2, 4) + files::number(1, 4)));
  zip.add("split.npy", files::npy("|i1", "(2,)", std::string("\1\0", 2)));
  zip.add("split_names.npy", files::npy("<U5", "(2,)", text(std::string_view("traintest\0", 10))));
  zip.add("classes.npy", files::npy("<U1", "(3,)", text("abc")));
  files::save(folder / "x.npz", zip.place().file());
  const Dataset data = read_dataset(folder / "x.npz");
  CHECK(steps_of(data.batch({1, 0}).inputs[0]) == Steps{{5, 255}, {1, 2, 3, 4}});
  CHECK(data.part_names() == std::vector<std::string>{"train", "test"});
  CHECK(data.class_names() == std::vector<std::string>{"a", "b", "c"});
  CHECK(steps_of(data.part("train").batch({0}).inputs[0]) == Steps{{5, 255}});
  CHECK(data.part("test").next_step().pieces(1).size() == 2);
  CHECK(data.part("test").truncated(1).part_names().size() == 2);
}

TEST_CASE("read: a set of nothing") {
  const files::TemporaryFolder folder;
  write_npz(folder / "x.npz", {{"values", array_of<float>({0, 4}, {})},
                               {"lengths", array_of<std::int64_t>({0}, {})}});
  const ReadOptions empty{.allow_empty = true};
  CHECK(read_dataset(folder / "x.npz", empty).size() == 0);
  CHECK(Batches{read_dataset(folder / "x.npz", empty)}.size() == 0);
}

}  // namespace
}  // namespace maskgrad::tests::test_read
