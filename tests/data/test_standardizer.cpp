#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <maskgrad/core/io/safetensors.hpp>

#include "data/sequences.hpp"
#include "io/files.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_standardizer {
namespace {

using Reals = std::vector<double>;

/// Steps (1, 5, 3), (2, 5, 7), (6, 5, -1) in two sequences, the padding NaN; targets 10 and 30.
Dataset three_steps() {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor x = tensor<float>({1, 5, 3, 2, 5, 7, 6, 5, -1, nan, nan, nan}, {2, 2, 3})
                       .with_mask(Mask::from_lengths({2, 1}));
  return Dataset::from_memory({x}, tensor<float>({10, 30}, {2, 1}));
}

TEST_CASE("standardizer: mean and deviation of each feature over valid steps") {
  const auto s = Standardizer::fit(three_steps());
  CHECK(s.mean().to_vector<double>() == Reals{3, 5, 3});
  const auto scale = s.scale().to_vector<double>();
  CHECK(scale[0] == doctest::Approx(std::sqrt(14.0 / 3)).epsilon(1e-14));
  CHECK(scale[1] == 1);  // never changes
  CHECK(scale[2] == doctest::Approx(std::sqrt(32.0 / 3)).epsilon(1e-14));
  const Batch b = three_steps().standardized(s).batch({1, 0});
  CHECK(b.inputs[0].dtype() == DType::f32);
  const auto got = steps_of(b.inputs[0]);
  CHECK(got[0][0] == doctest::Approx(3 / std::sqrt(14.0 / 3)));
  CHECK(got[0][1] == 0);
  CHECK(got[1][5] == doctest::Approx(4 / std::sqrt(32.0 / 3)));
  CHECK(b.target.to_vector<float>() == std::vector<float>{30, 10});
  const Tensor back = s.undo(b.inputs[0]);
  CHECK(steps_of(back)[0][0] == doctest::Approx(6));
}

TEST_CASE("standardizer: for the target, and the way back to its units") {
  const auto s = Standardizer::fit(three_steps(), {.target = true});
  CHECK(s.mean().to_vector<double>() == Reals{20});
  CHECK(s.scale().to_vector<double>() == Reals{10});
  const Batch b = three_steps().standardized(s).batch({0, 1});
  CHECK(b.target.to_vector<float>() == std::vector<float>{-1, 1});
  const Tensor y = tensor<float>({0.5f}, {1, 1}).with_grad();
  const Tensor units = s.undo(y);
  CHECK(units.item() == 25);
  sum(units).backward();
  CHECK(y.grad().item() == 10);
}

TEST_CASE("standardizer: the parts in which data are read do not matter") {
  std::vector<std::vector<double>> sequences;
  Reals all;
  for (std::size_t s = 0; s < 300; ++s) {
    sequences.emplace_back();
    for (std::size_t t = 0; t < 500; ++t) {
      all.push_back(1e6 + std::sin(static_cast<double>(s * 500 + t)));
      sequences.back().push_back(all.back());
    }
  }
  const auto s = Standardizer::fit(Dataset::from_memory({from_sequences(sequences, {1})}));
  long double mean = 0, square = 0;
  for (const double v : all) mean += v;
  mean /= static_cast<long double>(all.size());
  for (const double v : all) square += (v - mean) * (v - mean);
  const auto deviation =
      std::sqrt(static_cast<double>(square / static_cast<long double>(all.size())));
  CHECK(s.mean().item({0}) == doctest::Approx(static_cast<double>(mean)).epsilon(1e-13));
  CHECK(s.scale().item({0}) == doctest::Approx(deviation).epsilon(1e-9));
}

TEST_CASE("standardizer: of nothing, and of a constant that is no sum of powers of two") {
  const auto none = Standardizer::fit(counted({}));
  CHECK(none.mean().item() == 0);
  CHECK(none.scale().item() == 1);
  CHECK(steps_of(counted({2}).standardized(none).batch({0}).inputs[0])[0][1] == 1);
  const auto empty = Standardizer::fit(counted({0, 0}));
  CHECK(empty.mean().to_vector<double>() == Reals{0});
  CHECK(empty.scale().to_vector<double>() == Reals{1});
  std::vector<std::vector<float>> tenths(7, std::vector<float>(11, 0.1f));
  const auto s = Standardizer::fit(Dataset::from_memory({from_sequences(tenths, {1})}));
  CHECK(s.scale().item({0}) == 1);
}

TEST_CASE("standardizer: saved and loaded") {
  const files::TemporaryFolder folder;
  for (const bool target : {false, true}) {
    const auto s = Standardizer::fit(three_steps(), {.target = target});
    s.save(folder / "s.safetensors");
    const auto loaded = Standardizer::load(folder / "s.safetensors");
    CHECK(loaded.mean().to_vector<double>() == s.mean().to_vector<double>());
    CHECK(loaded.scale().to_vector<double>() == s.scale().to_vector<double>());
    CHECK(loaded.scale().shape() == s.scale().shape());
    CHECK(loaded.options().target == target);
  }
  write_safetensors(folder / "w.safetensors", {{"mean", files::array_of<double>({1}, {0})}});
  CHECK(throws<FileError>([&] { Standardizer::load(folder / "w.safetensors"); },
                          "Standardizer::load: ",
                          "w.safetensors is no standardizer; give a file "
                          "that save() wrote"));
}

TEST_CASE("standardizer: numbers that make NaN of everything are refused where they are given") {
  const auto one = [](double x) { return tensor(std::vector<double>{x}, {1}); };
  for (const double scale : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    CHECK(throws<OptionError>([&] { Standardizer(one(0), one(scale)); },
                              "Standardizer: feature 0 has the mean 0 and the scale ",
                              "; expected finite numbers and a scale above 0; a feature that never "
                              "changes has the scale 1"));
  }
  CHECK(throws<OptionError>([&] { Standardizer(one(std::nan("")), one(1)); }, "has the mean nan"));
  const Standardizer fine(one(0), one(1e-60));
  CHECK(fine.apply(one(1e-60)).item({0}) == 1);
  CHECK(throws<OptionError>([&] { fine.apply(ones({1})); }, "the scale 1e-60, in f32 0 and 0"));
  CHECK(throws<OptionError>([&] { fine.undo(ones({1})); }, "the scale 1e-60, in f32 0 and 0"));
}

TEST_CASE("standardizer: what it refuses") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Dataset holes =
      Dataset::from_memory({from_sequences<float>({{1, 2}, {}, {3, 4, 5, nan}}, {2})});
  CHECK(
      throws<ShapeError>([&] { Standardizer::fit(holes); },
                         "Standardizer::fit: sequence 2, step 1, feature 1 is nan; expected finite "
                         "numbers; leave such sequences out by subset(), or put a number there in "
                         "map()"));
  CHECK(throws<TypeError>(
      [] {
        Standardizer::fit(Dataset::from_memory({zeros({2, 1}, DType::i64)}));
      },
      "Standardizer::fit: it is for i64[2, 1]; expected f32 or f64"));
  CHECK(throws<OptionError>([] { Standardizer::fit(three_steps(), {.input = 1}); },
                            "Standardizer: input 1 of 1; expected one that is there"));
  CHECK(throws<OptionError>(
      [] {
        Standardizer::fit(Dataset::from_memory({zeros({2, 1})}), {.target = true});
      },
      "Standardizer: the data have no target"));
  CHECK(throws<ShapeError>([] { Standardizer(zeros({2}), ones({3})); },
                           "Standardizer: the mean is f64[2], the scale f64[3]; expected the same "
                           "shape"));
  const Standardizer two(zeros({2}), ones({2}));
  CHECK(throws<ShapeError>([&] { three_steps().standardized(two).batch({0}); },
                           "Standardizer: got f32[1, 2, 3], mask [1, 2] made by Dataset; expected "
                           "steps of [2], as it was fitted on"));
}

}  // namespace
}  // namespace maskgrad::tests::test_standardizer
