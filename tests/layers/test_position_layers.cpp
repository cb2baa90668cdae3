#include <doctest/doctest.h>

#include <cmath>
#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_position_layers {
namespace {

using Ids = std::vector<std::int64_t>;

Tensor normal(const Shape& shape, std::uint64_t seed = 1) {
  return random_normal(shape, Seed{seed}, DType::f64);
}

const Mask& mixed() {
  static const Mask mask = Mask::keep(
      {{true, true, false, false}, {false, false, true, true}, {true, false, true, true}});
  return mask;
}

TEST_CASE("positions are ranks among the valid steps") {
  const Tensor x = zeros({3, 4, 2});
  CHECK(positions(x.with_mask(mixed())).to_vector<std::int64_t>(-1) ==
        Ids{0, 1, -1, -1, -1, -1, 0, 1, 0, -1, 1, 2});
  CHECK(
      positions(x.with_mask(Mask::keep({true, false, true}, {3})), 7).to_vector<std::int64_t>(-1) ==
      Ids{7, 8, 9, 10, -1, -1, -1, -1, 7, 8, 9, 10});
  CHECK(positions(zeros({1, 3})).to_vector<std::int64_t>() == Ids{0, 1, 2});
  CHECK(throws<ShapeError>([] { positions(zeros({3})); }, "positions", "[batch, time, ...]"));
  CHECK(throws<MaskError>(
      [] {
        positions(zeros({1, 1, 2}).with_mask(Mask::keep({true, false}, {1, 1, 2})));
      },
      "a mask over more than its steps", "Mask [batch, time]"));
}

TEST_CASE("holes and left padding shift no position") {
  const Tensor x = normal({3, 4, 6});
  PositionEmbedding learned{{.sequence_length = 4}};
  build(learned, Spec::f64({any, any, 6}));
  SinePositionEncoding sine;
  RotaryEmbedding rotary;
  const auto holds = [&](auto& layer) {
    const Tensor masked = layer(x.with_mask(mixed()));
    CHECK(masked.mask() == mixed());
    // The valid steps of the third sequence alone, side by side.
    const Tensor third = tensor(
        [&] {
          std::vector<double> steps;
          for (const std::int64_t t : {0, 2, 3}) {
            for (std::int64_t i = 0; i < 6; ++i) steps.push_back(x.item({2, t, i}));
          }
          return steps;
        }(),
        {1, 3, 6});
    const Tensor alone = layer(third);
    for (std::int64_t i = 0; i < 6; ++i) {
      CHECK(masked.item({2, 0, i}) == alone.item({0, 0, i}));
      CHECK(masked.item({2, 2, i}) == alone.item({0, 1, i}));
      CHECK(masked.item({2, 3, i}) == alone.item({0, 2, i}));
    }
  };
  holds(sine);
  holds(learned);
  holds(rotary);
}

TEST_CASE("SinePositionEncoding: KerasHub's formula") {
  SinePositionEncoding layer{{.max_wavelength = 100, .start_index = 2}};
  const Tensor y = layer(zeros({2, 3, 5}, DType::f64));
  for (std::int64_t t = 0; t < 3; ++t) {
    const double p = static_cast<double>(t) + 2;
    CHECK(y.item({1, t, 0}) == doctest::Approx(std::sin(p)));
    CHECK(y.item({1, t, 1}) == doctest::Approx(std::cos(p)));
    CHECK(y.item({1, t, 2}) == doctest::Approx(std::sin(p / std::pow(100, 2.0 / 5))));
    CHECK(y.item({0, t, 3}) == doctest::Approx(std::cos(p / std::pow(100, 2.0 / 5))));
    CHECK(y.item({0, t, 4}) == doctest::Approx(std::sin(p / std::pow(100, 4.0 / 5))));
  }
  CHECK(layer(zeros({2, 3, 5})).dtype() == DType::f32);
}

TEST_CASE("PositionEmbedding: the rows of its weights") {
  PositionEmbedding layer{{.sequence_length = 5, .start_index = 1}};
  build(layer, Spec::f64({any, any, 2}));
  const Tensor w = parameters(layer)[0].value();
  CHECK(w.shape() == Shape{5, 2});
  const Tensor y = layer(zeros({2, 3, 2}, DType::f64));
  CHECK(y.item({1, 0, 1}) == w.item({1, 1}));
  CHECK(y.item({0, 2, 0}) == w.item({3, 0}));
}

TEST_CASE("RotaryEmbedding: products know the distance alone, and heads turn alike") {
  RotaryEmbedding layer{{.max_wavelength = 100, .scaling_factor = 2}};
  const Tensor q = broadcast_to(normal({1, 1, 4}), {1, 6, 4}),
               k = broadcast_to(normal({1, 1, 4}, 2), {1, 6, 4});
  const Tensor a = layer(q), b = layer(k);
  const auto product = [&](std::int64_t i, std::int64_t j) {
    double sum = 0;
    for (std::int64_t d = 0; d < 4; ++d) sum += a.item({0, i, d}) * b.item({0, j, d});
    return sum;
  };
  CHECK(product(1, 3) == doctest::Approx(product(3, 5)));
  CHECK(std::abs(product(1, 3) - product(1, 4)) > 1e-6);
  CHECK(a.item({0, 3, 1}) == doctest::Approx(q.item({0, 3, 1}) * std::cos(3 / 20.) -
                                             q.item({0, 3, 3}) * std::sin(3 / 20.)));
  CHECK(a.item({0, 3, 3}) == doctest::Approx(q.item({0, 3, 3}) * std::cos(3 / 20.) +
                                             q.item({0, 3, 1}) * std::sin(3 / 20.)));
  const Tensor heads = layer(reshape(concatenate({q, q}, -1), {1, 6, 2, 4}));
  CHECK(heads.item({0, 3, 1, 1}) == a.item({0, 3, 1}));
  CHECK(heads.item({0, 3, 0, 3}) == a.item({0, 3, 3}));
}

TEST_CASE("position layers refuse options and inputs that do not fit") {
  CHECK(throws<OptionError>([] { SinePositionEncoding{{.max_wavelength = 0}}; },
                            "SinePositionEncoding: the option .max_wavelength is 0",
                            "expected a number above 0"));
  CHECK(throws<OptionError>([] { RotaryEmbedding{{.max_wavelength = -1}}; },
                            ".max_wavelength is -1"));
  CHECK(
      throws<OptionError>([] { RotaryEmbedding{{.scaling_factor = 0}}; }, ".scaling_factor is 0"));
  CHECK(throws<OptionError>([] { PositionEmbedding{{.sequence_length = 0}}; },
                            ".sequence_length is 0; expected 1 or more"));
  CHECK(throws<OptionError>([] { PositionEmbedding{{.sequence_length = 2, .start_index = -1}}; },
                            ".start_index is -1; expected 0 or more"));
  RotaryEmbedding rotary;
  CHECK(throws<ShapeError>([&] { rotary(zeros({2, 3, 5})); }, "f32[2, 3, 5]", "even number"));
  CHECK(throws<ShapeError>([&] { rotary(zeros({2, 4})); }, "[batch, time, heads, features]"));
  SinePositionEncoding sine;
  CHECK(throws<ShapeError>([&] { sine(zeros({2, 4})); }, "[batch, time, features]"));
  CHECK(throws<MaskError>(
      [&] {
        build(sine, Spec::f32({any, any, 2}).masked(3));
      },
      "SinePositionEncoding 'sine_position_encoding' does not accept a mask"));
  CHECK(throws<ShapeError>(
      [] {
        rotate_by_position(zeros({2, 3, 4}), {1.0});
      },
      "rotate_by_position", "with 1 frequencies; expected [batch, time, ..., 2]"));
  CHECK(throws<TypeError>([] { rotate_by_position(zeros({2, 3, 2}, DType::i64), {1.0}); }, "i64"));
}

TEST_CASE("PositionEmbedding: only valid steps count against its length") {
  PositionEmbedding layer{{.sequence_length = 3}};
  CHECK(throws<ShapeError>(
      [&] {
        build(layer, Spec::f64({any, 4, 2}));
      },
      "a sequence of 4 steps, from position 0; expected at most 3 positions",
      "a .sequence_length of 4 or more"));
  build(layer, Spec::f64({any, any, 2}));
  CHECK(throws<ShapeError>([&] { layer(zeros({2, 4, 2}, DType::f64)); }, "4 steps"));
  const Tensor x = zeros({2, 4, 2}, DType::f64);
  CHECK_NOTHROW(
      layer(x.with_mask(Mask::keep({{true, false, true, true}, {false, false, false, true}}))));
}

}  // namespace
}  // namespace maskgrad::tests::test_position_layers
