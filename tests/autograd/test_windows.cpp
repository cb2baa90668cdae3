#include <doctest/doctest.h>

#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/sequence/depthwise.hpp>
#include <maskgrad/autograd/ops/sequence/overlap_add.hpp>
#include <maskgrad/core/random.hpp>
#include <maskgrad/core/threads.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_windows {
namespace {

using Values = std::vector<double>;

TEST_CASE("windows: where the length stays they stand at their own steps, else side by side") {
  const Mask holes = Mask::keep({{false, true, false, true, true}});
  const Tensor x = tensor({9., 1., 9., 2., 3.}, {1, 5, 1}).with_mask(holes);
  const auto valid = [](const Tensor& y) { return y.drop_mask("a test", -1).to_vector<double>(); };
  const Tensor same = windows(x, {.width = 2, .padding = Padding::same}, 7);
  CHECK(same.mask() == holes);
  CHECK(valid(same) == Values{-1, -1, 1, 2, -1, -1, 2, 3, 3, 7});
  const Tensor one = windows(x, {.width = 1});
  CHECK(one.mask() == holes);
  const Tensor inside = windows(x, {.width = 2});
  CHECK(inside.mask() == Mask::from_lengths({2}, 4));
  CHECK(valid(inside) == Values{1, 2, 2, 3, -1, -1, -1, -1});
  CHECK(valid(window_sizes(x, {.width = 3, .stride = 2, .padding = Padding::same})) ==
        Values{2, 2, -1});
}

TEST_CASE("windows of steps without features are empty") {
  const Tensor x = zeros({2, 5, 0}).with_mask(Mask::from_lengths({5, 2}));
  CHECK(windows(x, {.width = 3}).shape() == Shape{2, 3, 3, 0});
  CHECK(window_sizes(x, {.width = 3}).mask() == Mask::from_lengths({3, 0}));
}

TEST_CASE("overlap_add turns windows back: each step as often as it was in one") {
  const Tensor x = random_normal({2, 7, 3}, Seed{1}, DType::f64);
  for (const auto padding : {Padding::valid, Padding::same}) {
    const Tensor once = windows(x, {.width = 2, .stride = 2, .padding = padding});
    const Tensor back = overlap_add(once, {.stride = 2, .padding = padding});
    CHECK(back.shape() == (padding == Padding::valid ? Shape{2, 6, 3} : Shape{2, 8, 3}));
    CHECK(back.item({1, 5, 2}) == x.item({1, 5, 2}));
  }
}

TEST_CASE("depthwise: sums over rows do not depend on the number of threads") {
  const Tensor x = random_normal({40, 50, 3, 16}, Seed{1}).with_grad();
  const Tensor kernel = random_normal({3, 16, 2}, Seed{2}).with_grad();
  const auto gradient = [&](int threads) {
    const int before = num_threads();
    set_num_threads(threads);
    sum(depthwise(x, kernel)).backward();
    set_num_threads(before);
    const auto g = kernel.grad().to_vector<float>();
    return g;
  };
  const auto one = gradient(1), both = gradient(2);  // the second adds itself to the first
  for (std::size_t i = 0; i < one.size(); ++i) CHECK(both[i] == 2 * one[i]);
}

TEST_CASE("windows, overlap_add and depthwise refuse what does not fit") {
  const Tensor x = zeros({2, 5, 3}), w = zeros({2, 5, 2, 3}), k = zeros({2, 3, 1});
  const Mask steps = Mask::from_lengths({5, 2});
  const Mask full = Mask::keep(std::vector<bool>(30, true), {2, 5, 3});
  CHECK_THROWS_WITH_AS(windows(x, {.width = 0}),
                       "windows: width 0, stride 1, dilation 1; expected 1 to 1073741824 each",
                       OptionError);
  CHECK(throws<OptionError>([&] { window_sizes(x, {.dilation = std::int64_t{1} << 40}); },
                            "window_sizes: width 1, stride 1, dilation 1099511627776"));
  CHECK(throws<ShapeError>([&] { windows(w, {}); }, "windows", "[batch, time, features]"));
  CHECK(throws<TypeError>([&] { windows(zeros({2, 5, 3}, DType::i64), {}, 1); }, "windows"));
  CHECK(throws<MaskError>([&] { windows(x.with_mask(full), {}); }, "windows: f32[2, 5, 3]",
                          "has a mask over features; a step is there or not as a whole"));
  CHECK_THROWS_WITH_AS(overlap_add(w, {.stride = 0}),
                       "overlap_add: stride 0, dilation 1, output_padding 0; expected 1 or more of "
                       "the first two, 0 or more of the last",
                       OptionError);
  CHECK_THROWS_WITH_AS(overlap_add(w, {.padding = Padding::causal}),
                       "overlap_add: the padding is causal; expected valid or same", OptionError);
  CHECK(throws<ShapeError>(
      [&] {
        overlap_add(zeros({2, 5, 0, 3}), {});
      },
      "overlap_add: f32[2, 5, 0, 3]; expected", "a width of 1 or more"));
  CHECK(throws<MaskError>([&] { overlap_add(w.with_mask(steps), {}); },
                          "has a mask over its windows", "Mask [batch] alone"));
  CHECK_THROWS_WITH_AS(depthwise(w, zeros({3, 2, 1})),
                       "depthwise: f32[2, 5, 2, 3] with kernel f32[3, 2, 1]; expected x [..., "
                       "width, features] and kernel [width, features, multiplier] with the same "
                       "width and features",
                       ShapeError);
  CHECK(throws<MaskError>(
      [&] {
        depthwise(x.with_mask(full), zeros({5, 3, 1}));
      },
      "has a mask over its last two axes", "mask whole steps"));
  CHECK(throws<MaskError>(
      [&] {
        depthwise(w, k.with_mask(Mask::keep({true, false}, {2})));
      },
      "weights have no padding"));
}

}  // namespace
}  // namespace maskgrad::tests::test_windows
