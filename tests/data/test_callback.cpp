#include <doctest/doctest.h>

#include <limits>

#include "data/sequences.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_callback {
namespace {

SequenceData squares(std::int64_t i) {
  std::vector<float> steps;
  for (std::int64_t t = 0; t <= i; ++t) steps.push_back(static_cast<float>(i * t));
  return {.inputs = {tensor(steps, {i + 1}), full({2}, static_cast<double>(i))},
          .target = tensor(steps, {i + 1}),
          .weight = scalar(static_cast<double>(i))};
}

CallbackOptions options() {
  return {.lengths = {1, 2, 3}, .sample = squares, .whole_inputs = {1}, .target_steps = true};
}

TEST_CASE("callback: sequences are made when a batch needs them") {
  int calls = 0;
  auto counting = options();
  counting.sample = [&](std::int64_t i) {
    ++calls;
    return squares(i);
  };
  const Dataset data = Dataset::from_callback(counting);
  CHECK(data.size() == 3);
  CHECK(data.steps() == 6);
  CHECK(calls == 0);
  const Batch b = data.batch({2, 0});
  CHECK(calls == 2);
  CHECK(steps_of(b.inputs[0]) == std::vector<std::vector<float>>{{0, 2, 4}, {0}});
  CHECK(b.inputs[1].to_vector<float>() == std::vector<float>{2, 2, 0, 0});
  CHECK(steps_of(b.target) == std::vector<std::vector<float>>{{0, 2, 4}, {0}});
  CHECK(b.target.mask().same(b.inputs[0].mask()));
  CHECK(b.weight.to_vector<float>() == std::vector<float>{2, 0});
  const Batch cut = data.pieces(2).batch({3, 2});
  CHECK(steps_of(cut.inputs[0]) == std::vector<std::vector<float>>{{4}, {0, 2}});
  CHECK(cut.weight.to_vector<float>() == std::vector<float>{2, 2});
}

TEST_CASE("callback: what a function may not give") {
  CHECK(throws<OptionError>([] { Dataset::from_callback({}); },
                            "Dataset::from_callback: no function was given; set .sample"));
  CHECK(throws<ShapeError>(
      [] {
        Dataset::from_callback({.lengths = {1, -1}, .sample = squares});
      },
      "sequence 1 has length -1; expected 0 or more steps"));
  const auto message = [](std::int64_t sample, SequenceData bad) {
    auto o = options();
    o.sample = [=](std::int64_t i) { return i == sample ? bad : squares(i); };
    try {
      Dataset::from_callback(o).batch({0, 1});
    } catch (const ShapeError& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  const Tensor one = scalar(1), two = zeros({2});
  CHECK(message(1, {{zeros({3}), two}, two, one}) ==
        "Dataset::from_callback: sequence 1: input 0 is f32[3]; expected 2 steps, its length; give "
        "every step, or say in the options that it has one value a sequence");
  CHECK(message(1, {{zeros({2, 1}), two}, two, one}) ==
        "Dataset::from_callback: sequence 1: input 0 is f32[2, 1]; expected f32[any] as in the "
        "sequences before; give every sequence the same type and axes");
  CHECK(message(1, {{two, zeros({2}, DType::f64)}, two, one})
            .find("input 1 is f64[2]; expected f32[2]") != std::string::npos);
  CHECK(message(1, {{two}, two, one}) ==
        "Dataset::from_callback: sequence 1 has 1 inputs, 1 target and 1 weight, sequence 0 2, 1 "
        "and 1; give every sequence the same");
  CHECK(message(1, {{two, two}, {}, one}).find("sequence 1 has 2 inputs, 0 target") !=
        std::string::npos);
  CHECK(message(1, {{Tensor(), two}, two, one})
            .find("input 0 is an empty tensor; expected a tensor "
                  "[steps, ...] without a mask") != std::string::npos);
  const auto lengths = [](Numbers n) {
    return Dataset::from_callback(
        {.lengths = std::move(n), .sample = [](auto) { return SequenceData{}; }});
  };
  constexpr auto huge = std::numeric_limits<std::int64_t>::max() / 16;
  CHECK(throws<ShapeError>(
      [&] {
        lengths({5, huge});
      },
      "Dataset::from_callback: sequence 1 has length 576460752303423487, and "
      "those before 5 steps; expected at most 576460752303423487 steps in "
      "all"));
  CHECK(throws<MemoryError>([&] { lengths({huge}).pieces(1); }, "Dataset::pieces: a list of ",
                            "576460752303423487 pieces needs"));
  CHECK(throws<MemoryError>([&] { Batches(lengths({huge}), {.window = 1}).size(); },
                            "Batches: a list of "));
  CHECK(lengths({huge}).pieces(huge - 1).size() == 2);
  const Tensor masked = two.with_mask(Mask::keep(std::vector<bool>{true, false}, {2}));
  CHECK(message(1, {{masked, two}, two, one}).find("without a mask") != std::string::npos);
}

}  // namespace
}  // namespace maskgrad::tests::test_callback
