#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "throws.hpp"
#include "train/toy.hpp"

namespace maskgrad::tests::test_weights {
namespace {

TEST_CASE("the moving average follows its formula, and is swapped in and out bit by bit") {
  const Parameter p(tensor({1., 2.}, {2}), "p");
  const Parameter moving(ones({2}, DType::f64), "moving_mean", false);
  MovingAverage average({p, moving}, {.decay = 0.5, .warm_up = false});
  p.set(tensor({3., 6.}, {2}));
  average.update();
  moving.set(zeros({2}, DType::f64));
  {
    const MovingAverage::Use use(average);
    CHECK(p.value().to_vector<double>() == std::vector<double>{2, 4});
    CHECK(moving.value().to_vector<double>() == std::vector<double>{0, 0});
  }
  CHECK(p.value().to_vector<double>() == std::vector<double>{3, 6});
  MovingAverage warm({p}, {.decay = 0.999});
  p.set(tensor({14., 6.}, {2}));
  warm.update();  // keeps 2 of 11
  warm.swap();
  CHECK(p.value().item({0}) == doctest::Approx(3 * 2.0 / 11 + 14 * 9.0 / 11));
  CHECK(throws<OptionError>([&] { MovingAverage({p}, {.decay = 1}); },
                            "MovingAverage: the option .decay is 1"));
}

TEST_CASE("weight noise is there while it lives, depends on seed and step, and leaves nothing") {
  const Parameter p(random_normal({20, 50}, Seed{1}, DType::f32), "p");
  const Parameter frozen(ones({2}), "frozen");
  frozen.set_trainable(false);
  const auto before = p.value().to_vector<float>();
  std::vector<std::vector<float>> noisy;
  for (const auto& [seed, step] : {std::pair{1, 1}, {1, 1}, {1, 2}, {2, 1}}) {
    const WeightNoise noise({p, frozen}, 0.1, Seed{static_cast<std::uint64_t>(seed)},
                            static_cast<std::uint64_t>(step));
    noisy.push_back(p.value().to_vector<float>());
    CHECK(frozen.value().to_vector<float>() == std::vector<float>{1, 1});
  }
  CHECK(p.value().to_vector<float>() == before);
  CHECK(noisy[0] == noisy[1]);
  CHECK(noisy[0] != noisy[2]);
  CHECK(noisy[0] != noisy[3]);
  double square = 0;
  for (std::size_t i = 0; i < before.size(); ++i) square += std::pow(noisy[0][i] - before[i], 2);
  CHECK(std::sqrt(square / 1000) == doctest::Approx(0.1).epsilon(0.1));
  CHECK(throws<OptionError>([&] { WeightNoise({p}, -1, Seed{}, 0); },
                            "the option .weight_noise is -1"));
}

TEST_CASE("clipping by value puts each value into the range, and refuses what is not finite") {
  const Parameter a(zeros({3}, DType::f64), "a");
  a.set_grad(tensor({-5., 0.25, 2.}, {3}), 7);
  clip_by_value({a}, 0.5);
  CHECK(a.grad().to_vector<double>() == std::vector<double>{-0.5, 0.25, 0.5});
  CHECK(a.grad_count() == 7);
  CHECK(throws<OptionError>([&] { clip_by_value({a}, 0); }, "clip_by_value: the limit is 0"));
  a.set_grad(tensor({1., std::numeric_limits<double>::quiet_NaN(), 0.}, {3}));
  CHECK(throws<GradError>([&] { clip_by_value({a}, 1); }, "'a'", "NaN or infinite"));
}

}  // namespace
}  // namespace maskgrad::tests::test_weights
