#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "data/sequences.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_dataset {
namespace {

using Steps = std::vector<std::vector<float>>;

TEST_CASE("dataset: a batch has the steps, target and weight of its sequences, under one mask") {
  const Mask mask = Mask::keep({{true, false, true}, {false, false, false}, {true, true, true}});
  const Tensor x = tensor<float>({1, -1, 2, -1, -1, -1, 3, 4, 5}, {3, 3}).with_mask(mask);
  const Tensor tags = tensor<std::int64_t>({7, 0, 8, 0, 0, 0, 9, 10, 11}, {3, 3}).with_mask(mask);
  const Dataset data = Dataset::from_memory({x, tensor<double>({1, 2, 3, 4, 5, 6}, {3, 2})}, tags,
                                            tensor<float>({0.5f, 1, 2}, {3}));
  CHECK(data.size() == 3);
  CHECK(data.length(0) == 2);
  CHECK(data.length(1) == 0);
  CHECK(data.steps() == 5);
  const Batch b = data.batch({2, 0});
  CHECK(b.size() == 2);
  CHECK(b.samples == Numbers{2, 0});
  CHECK(b.begins == Numbers{0, 1});
  CHECK(b.inputs[0].shape() == Shape{2, 3});
  CHECK(steps_of(b.inputs[0]) == Steps{{3, 4, 5}, {1, 2}});
  CHECK(b.inputs[0].mask().origin() == "Dataset");
  CHECK(b.inputs[1].to_vector<double>() == std::vector<double>{5, 6, 1, 2});
  CHECK_FALSE(b.inputs[1].has_mask());
  CHECK(b.target.mask().same(b.inputs[0].mask()));
  CHECK(b.target.to_vector<std::int64_t>(-1) == Numbers{9, 10, 11, 7, 8, -1});
  CHECK(b.weight.to_vector<float>() == std::vector<float>{2, 0.5f});
}

TEST_CASE("dataset: sequences without a step, and no sequences at all") {
  const Dataset data = counted({0, 0});
  const Batch b = data.batch({0, 1});
  CHECK(b.inputs[0].shape() == Shape{2, 0, 1});
  CHECK(b.inputs[0].mask().valid() == 0);
  const Dataset none = counted({});
  CHECK(none.size() == 0);
  CHECK(none.steps() == 0);
  CHECK(none.subset({}).size() == 0);
  CHECK(none.truncated(3).pieces(2).next_step().size() == 0);
  CHECK(Dataset().size() == 0);
  CHECK(Dataset().subset({}).truncated(1).pieces(1).next_step().size() == 0);
}

TEST_CASE("dataset: NaN is a value like any other") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Dataset data = Dataset::from_memory({from_sequences<float>({{nan, 1}, {2}})});
  const auto steps = steps_of(data.batch({1, 0}).inputs[0]);
  CHECK(steps[0] == std::vector<float>{2});
  CHECK(std::isnan(steps[1][0]));
  CHECK(steps[1][1] == 1);
}

TEST_CASE("dataset: inputs of other lengths keep them, and cannot be cut") {
  const Dataset data = Dataset::from_memory(
      {from_sequences<float>({{1, 2}, {3}}), from_sequences<float>({{4}, {5, 6, 7}})});
  const Batch b = data.batch({1, 0});
  CHECK(steps_of(b.inputs[0]) == Steps{{3}, {1, 2}});
  CHECK(steps_of(b.inputs[1]) == Steps{{5, 6, 7}, {4}});
  CHECK(data.length(1) == 1);
  CHECK(steps_of(data.subset({1}).batch({0}).inputs[1]) == Steps{{5, 6, 7}});
  CHECK(throws<ShapeError>([&] { data.truncated(1); },
                           "Dataset::truncated: sequence 0 has 2 steps in the first input and 1 in "
                           "input 1, so sequences cannot be cut; expected inputs and target of the "
                           "same lengths; leave them whole"));
  const Dataset whole = Dataset::from_memory({zeros({3, 2})});
  CHECK(whole.length(2) == 1);
  CHECK(throws<ShapeError>([&] { whole.pieces(1); }, "Dataset::pieces: no input has steps"));
}

TEST_CASE("dataset: subsets, first and last steps, pieces") {
  const Dataset data = counted({3, 0, 5});
  const Dataset some = data.subset({2, 2, 0});
  CHECK(some.size() == 3);
  CHECK(steps_of(some.batch({1, 2}).inputs[0]) == Steps{{200, 201, 202, 203, 204}, {0, 1, 2}});
  CHECK(some.batch({1, 2}).samples == Numbers{1, 2});
  CHECK(some.batch({1, 2}).target.to_vector<std::int64_t>() == Numbers{2, 0});
  CHECK(steps_of(data.truncated(2).batch({0, 1, 2}).inputs[0]) == Steps{{0, 1}, {}, {200, 201}});
  const Dataset last = data.truncated(2, KeepSteps::last);
  CHECK(steps_of(last.batch({0, 1, 2}).inputs[0]) == Steps{{1, 2}, {}, {203, 204}});
  const Dataset pieces = data.pieces(2);
  CHECK(pieces.size() == 6);
  CHECK(steps_of(pieces.batch({0, 1, 2, 3, 4, 5}).inputs[0]) ==
        Steps{{0, 1}, {2}, {}, {200, 201}, {202, 203}, {204}});
  CHECK(pieces.batch({1, 2, 5}).target.to_vector<std::int64_t>() == Numbers{0, 1, 2});
  // Views of views.
  const Dataset deep = pieces.subset({5, 3}).truncated(1, KeepSteps::last);
  CHECK(steps_of(deep.batch({0, 1}).inputs[0]) == Steps{{204}, {201}});
}

TEST_CASE("dataset: the next step is the target of the step before") {
  const Dataset data = counted({3, 0, 2}).next_step();
  const Batch b = data.batch({0, 1, 2});
  CHECK(steps_of(b.inputs[0]) == Steps{{0, 0, 1}, {}, {0, 200}});
  CHECK(steps_of(b.target) == Steps{{0, 1, 2}, {}, {200, 201}});
  // Cut afterwards, a piece goes on from the step before it; cut before, it begins anew.
  const Batch after = data.pieces(2).batch({3, 1, 0, 2});
  CHECK(steps_of(after.inputs[0]) == Steps{{0, 200}, {1}, {0, 0}, {}});
  CHECK(steps_of(after.target) == Steps{{200, 201}, {2}, {0, 1}, {}});
  const Batch before = counted({3}).pieces(2).next_step().batch({1, 0});
  CHECK(steps_of(before.inputs[0]) == Steps{{0}, {0, 0}});
  CHECK(steps_of(before.target) == Steps{{2}, {0, 1}});
  CHECK(throws<OptionError>([&] { counted({3}).next_step(1).batch({0}); },
                            "Dataset::next_step: input 1 of 1; expected one that is there"));
  CHECK(throws<OptionError>([&] { counted({3}).next_step(-1); },
                            "Dataset::next_step: input -1; expected 0 or more"));
  CHECK(throws<MaskError>(
      [&] {
        Dataset::from_memory({zeros({2, 3})}).next_step().batch({0});
      },
      "Dataset::next_step: input 0 is f32[1, 3]; expected steps under a mask"));
}

TEST_CASE("dataset: map sees numbers of sequences and changes batches, off the tape") {
  const Tensor leaf = ones({1}).with_grad();
  const Dataset data = counted({2, 1}).map([leaf](Batch b) {
    CHECK(b.samples == Numbers{1, 0});
    CHECK_FALSE(recording());
    b.inputs[0] = b.inputs[0] * leaf + leaf;
    b.weight = tensor<float>({1, 2}, {2});
    return b;
  });
  const Batch b = data.batch({1, 0});
  CHECK(steps_of(b.inputs[0]) == Steps{{101}, {1, 2}});
  CHECK_FALSE(b.inputs[0].on_tape());
  CHECK(b.samples == Numbers{1, 0});
  CHECK(b.weight.to_vector<float>() == std::vector<float>{1, 2});
  const Dataset wrong = counted({2, 1}).map([](Batch b) {
    b.target = zeros({3});
    return b;
  });
  CHECK(throws<ShapeError>(
      [&] {
        wrong.batch({0, 1});
      },
      "Dataset::map: the target came back as f32[3], from a batch of 2 "
      "sequences; expected as many"));
  CHECK(throws<OptionError>([&] { data.map(nullptr); }, "Dataset::map: no function was given"));
}

TEST_CASE("dataset: tensors of unequal length, one for each sequence") {
  const Tensor x = from_sequences(
      Tensors{tensor<float>({1, 2}, {1, 2}), zeros({0, 2}), tensor<float>({3, 4, 5, 6}, {2, 2})});
  CHECK(x.shape() == Shape{3, 2, 2});
  CHECK(steps_of(Dataset::from_memory({x}).batch({2, 0, 1}).inputs[0]) ==
        Steps{{3, 4, 5, 6}, {1, 2}, {}});
  CHECK(throws<ShapeError>([] { from_sequences(Tensors{}); }, "from_sequences: no sequences"));
  CHECK(throws<ShapeError>(
      [] {
        from_sequences(Tensors{zeros({1}), scalar(1)});
      },
      "from_sequences: sequence 1 is f32[]; expected [steps, ...]"));
  CHECK(throws<ShapeError>(
      [] {
        from_sequences(Tensors{zeros({1}), zeros({1, 2})});
      },
      "sequence 1: input 0 is f32[1, 2]; expected f32[any]"));
}

TEST_CASE("dataset: what cannot be one") {
  CHECK(throws<ShapeError>([] { Dataset::from_memory({}); },
                           "Dataset::from_memory: no inputs were given"));
  CHECK(throws<ShapeError>([] { Dataset::from_memory({Tensor()}); }, "input 0 is empty"));
  CHECK(throws<ShapeError>([] { Dataset::from_memory({scalar(1)}); }, "input 0 is f32[]"));
  CHECK(throws<ShapeError>(
      [] {
        Dataset::from_memory({zeros({2, 3})}, zeros({3}));
      },
      "the target is f32[3]; expected 2 sequences, as in input 0, f32[2, 3]"));
  const Tensor masked = zeros({2, 1, 2}).with_mask(Mask::keep({{true}, {false}}));
  CHECK_NOTHROW(Dataset::from_memory({masked}));
  const Mask features = Mask::keep(std::vector<bool>(4, true), {2, 1, 2});
  CHECK(throws<MaskError>([&] { Dataset::from_memory({masked.with_mask(features)}); },
                          "expected a mask [sequences, time], or none; leave out sequences by "
                          "subset(), and put masks over other axes on in map()"));
}

TEST_CASE("dataset: sequences and steps that are not there") {
  const Dataset data = counted({2, 1});
  CHECK(throws<IndexError>(
      [&] {
        data.batch({0, 2});
      },
      "Dataset::batch: sequence 2 of a data set of 2; expected 0 to 1"));
  CHECK(throws<IndexError>([&] { data.batch({}); }, "Dataset::batch: no sequences were asked for"));
  CHECK(throws<IndexError>([&] { data.subset({-1}); }, "Dataset::subset: sequence -1 of"));
  CHECK(throws<IndexError>([&] { data.length(5); }, "Dataset::length: sequence 5 of"));
  CHECK(throws<IndexError>([&] { Dataset().batch({0}); }, "Dataset::batch: sequence 0 of"));
  CHECK(throws<OptionError>([&] { data.truncated(0); },
                            "Dataset::truncated: 0 steps; expected at least 1"));
  CHECK(throws<OptionError>([&] { data.pieces(-2); }, "Dataset::pieces: -2 steps"));
}

}  // namespace
}  // namespace maskgrad::tests::test_dataset
