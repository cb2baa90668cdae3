#include <doctest/doctest.h>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_reshaping {
namespace {

using Values = std::vector<double>;
using Bits = std::vector<bool>;

/// 1, 2, ... in this shape.
Tensor counted(const Shape& shape) {
  return reshape(arange(shape.count(), DType::f64) + 1, shape);
}
const Mask& holes() {
  static const Mask mask = Mask::keep({{true, false, true}, {false, false, false}});
  return mask;
}

TEST_CASE("RepeatVector: copies, under a mask over samples") {
  const Tensor x = counted({2, 2}).with_mask(Mask::keep({false, true}, {2}));
  const Tensor y = RepeatVector{{.n = 2}}(x);
  CHECK(y.shape() == Shape{2, 2, 2});
  CHECK(y.mask() == x.mask());
  CHECK(y.to_vector<double>() == Values{0, 0, 0, 0, 3, 4, 3, 4});
  CHECK(RepeatVector{{.n = 2}}(counted({1, 2}).with_mask(Mask::keep({{true, false}})))
            .to_vector<double>() == Values{1, 0, 1, 0});
  CHECK(throws<OptionError>([] { RepeatVector{{.n = 0}}; },
                            "RepeatVector: the option .n is 0; expected 1 or more"));
  CHECK(throws<ShapeError>(
      [] {
        RepeatVector{{.n = 2}}(zeros({1, 2, 3}));
      },
      "RepeatVector 'repeat_vector': input is f32[1, 2, 3]", "expected 2, [batch, features]"));
}

TEST_CASE("Permute: Keras's dims, features among themselves under a mask") {
  const Tensor y = Permute{{.dims = {2, 1}}}(counted({1, 2, 3}));
  CHECK(y.to_vector<double>() == Values{1, 4, 2, 5, 3, 6});
  const Tensor x = counted({2, 3, 1, 2}).with_mask(holes());
  const Tensor turned = Permute{{.dims = {1, 3, 2}}}(x);
  CHECK(turned.shape() == Shape{2, 3, 2, 1});
  CHECK(turned.mask() == holes());
  CHECK(turned.to_vector<double>() == x.to_vector<double>());
  const Mask full = Mask::keep({true, false, true, true}, {1, 2, 2});
  CHECK(Permute{{.dims = {2, 1}}}(counted({1, 2, 2}).with_mask(full)).mask().to_vector() ==
        Bits{true, true, false, true});
}

TEST_CASE("Permute refuses to bring features among masked steps") {
  Permute layer{{.dims = {2, 1}}};
  CHECK(throws<MaskError>(
      [&] {
        build(layer, Spec::f32({any, any, 3}).masked(2));
      },
      "Permute 'permute' does not accept a mask (unsupported: the order [2, 1] "
      "would bring features among the masked steps)",
      "f32[any, any, 3], mask [any, any]", "an order that keeps the steps first",
      "x.drop_mask(\"why\")"));
  build(layer, Spec::f32({any, any, 3}).masked(1));
  CHECK(throws<ShapeError>(
      [&] {
        layer(zeros({2, 3}));
      },
      "Permute 'permute': input is f32[2, 3] with 2 axes; expected 3"));
  for (const std::vector<std::int64_t>& dims : {std::vector<std::int64_t>{1, 1}, {0, 1}, {1, 3}}) {
    CHECK(throws<OptionError>([&] { Permute{{.dims = dims}}; }, "Permute: the option .dims is [",
                              "expected each of 1 to 2 once"));
  }
}

TEST_CASE("Reshape: features are split and merged, and one size is what is left") {
  const Tensor x = counted({2, 3, 4}).with_mask(holes());
  const Tensor y = Reshape{{.target_shape = {-1, 2, 2}}}(x);
  CHECK(y.shape() == Shape{2, 3, 2, 2});
  CHECK(y.mask() == holes());
  CHECK(y.to_vector<double>() == x.to_vector<double>());
  CHECK(Reshape{{.target_shape = {3, -1}}}(y).shape() == Shape{2, 3, 4});
  CHECK(Reshape{{.target_shape = {-1}}}(counted({2, 3, 4})).shape() == Shape{2, 12});
  CHECK(Reshape{{.target_shape = {}}}(counted({2, 1})).shape() == Shape{2});
  CHECK(Reshape{{.target_shape = {-1, 2}}}(zeros({0, 3, 4})).shape() == Shape{0, 6, 2});
  const Mask samples = Mask::keep({false, true}, {2});
  const Tensor flat = Reshape{{.target_shape = {6, 2}}}(counted({2, 3, 4}).with_mask(samples));
  CHECK(flat.mask() == samples);
  Reshape closed{{.target_shape = {12}}};
  CHECK(build(closed, Spec::f64({any, any, 4}).masked(1))[0].describe() ==
        "f64[any, 12], mask [any] made by the specification");
  CHECK(flat.item({1, 0, 0}) == 13);
}

TEST_CASE("Reshape refuses to tear steps, in build and at run time") {
  for (const std::vector<std::int64_t>& target :
       {std::vector<std::int64_t>{24}, {-1}, {3, 8}, {4, 6}}) {
    Reshape layer{{.target_shape = target}};
    const auto refuses = [&](auto&& f) {
      CHECK(throws<MaskError>(f, "Reshape 'reshape' does not accept a mask (unsupported: [",
                              "would merge or tear mask axes)", "6, 4], mask [",
                              "ways out: a shape that keeps the steps", "x.drop_mask(\"why\")"));
    };
    refuses([&] { build(layer, Spec::f64({any, 6, 4}).masked(2)); });
    refuses([&] { layer(counted({2, 6, 4}).with_mask(Mask::from_lengths({1, 6}))); });
  }
  CHECK(throws<MaskError>(
      [] {
        Reshape layer{{.target_shape = {24}}};
        build(layer, Spec::f64({any, any, 4}).masked(2));
      },
      "[any, 24] would merge or tear mask axes"));
  CHECK(throws<MaskError>(
      [] {
        Reshape layer{{.target_shape = {4}}};
        build(layer, Spec::f64({any, any, 4}).masked(2));
      },
      "[any, 4] would merge or tear mask axes"));
  Reshape one{{.target_shape = {4}}};
  build(one, Spec::f64({any, 1, 4}).masked(2));
  CHECK(one(counted({2, 1, 4}).with_mask(Mask::from_lengths({0, 1}))).mask().shape() == Shape{2});
}

TEST_CASE("Reshape refuses sizes that do not fit") {
  CHECK(throws<OptionError>(
      [] {
        Reshape{{.target_shape = {-1, -1}}};
      },
      "Reshape: the option .target_shape is [-1, -1]; expected at most 7"));
  CHECK(throws<OptionError>([] { Reshape{{.target_shape = {-2}}}; }, "is [-2]"));
  CHECK(throws<OptionError>(
      [] {
        Reshape{{.target_shape = {1, 1, 1, 1, 1, 1, 1, 1}}};
      },
      "expected at most 7 sizes"));
  CHECK(throws<ShapeError>(
      [] {
        Reshape{{.target_shape = {5}}}(zeros({2, 3}));
      },
      "reshape in Reshape 'reshape': f32[2, 3] to [2, 5]",
      "the numbers of "
      "values differ"));
  CHECK(throws<ShapeError>(
      [] {
        Reshape{{.target_shape = {4, -1}}}(zeros({2, 6}));
      },
      "f32[2, 6] to [2, 4, any]"));
  CHECK(throws<ShapeError>([] { Reshape{{.target_shape = {1}}}(zeros({})); },
                           "expected [batch, ...]"));
}

TEST_CASE("Flatten: a sample's values, under a mask over samples or single values") {
  const Mask samples = Mask::keep({false, true}, {2});
  const Tensor y = Flatten{}(counted({2, 2, 2}).with_mask(samples));
  CHECK(y.shape() == Shape{2, 4});
  CHECK(y.mask() == samples);
  CHECK(y.to_vector<double>() == Values{0, 0, 0, 0, 5, 6, 7, 8});
  CHECK(Flatten{{.data_format = "channels_first"}}(counted({1, 2, 3})).to_vector<double>() ==
        Values{1, 4, 2, 5, 3, 6});
  CHECK(Flatten{}(zeros({3})).shape() == Shape{3, 1});
  const Mask full = Mask::keep({true, false, false, true}, {1, 2, 2});
  CHECK(Flatten{}(counted({1, 2, 2}).with_mask(full)).mask().to_vector() == full.to_vector());
}

TEST_CASE("Flatten refuses a mask over steps, and a wrong option") {
  Sequential model{Masking{}, Flatten{}};
  CHECK(throws<MaskError>(
      [&] {
        model.build(Spec::f32({any, 6, 4}));
      },
      "Flatten 'flatten' does not accept a mask (unsupported: steps would be "
      "merged with features",
      "f32[any, 6, 4], mask [any, 6] made by Masking 'masking'", "LastStep over the valid steps",
      "x.drop_mask(\"why\")"));
  CHECK(throws<OptionError>([] { Flatten{{.data_format = "channel_first"}}; },
                            "Flatten: the option .data_format is 'channel_first'",
                            "did you mean 'channels_first'?"));
  CHECK(throws<ShapeError>([] { Flatten{}(zeros({})); }, "Flatten 'flatten'", "[batch, ...]"));
}

TEST_CASE("Reverse: valid steps change places among themselves") {
  const Tensor x = counted({2, 3, 1}).with_mask(holes());
  const Tensor y = Reverse{}(x);
  CHECK(y.mask() == holes());
  CHECK(y.to_vector<double>() == Values{3, 0, 1, 0, 0, 0});
  CHECK(Reverse{}(counted({1, 3, 1})).to_vector<double>() == Values{3, 2, 1});
  const Mask full = Mask::keep({true, true, false, true, true, true}, {1, 3, 2});
  const Tensor each = Reverse{}(counted({1, 3, 2}).with_mask(full));
  CHECK(each.mask() == full);
  CHECK(each.to_vector<double>() == Values{5, 6, 0, 4, 1, 2});
  CHECK(throws<ShapeError>([] { Reverse{}(zeros({3})); },
                           "Reverse 'reverse': input is f32[3]; expected [batch, time, ...]"));
}

}  // namespace
}  // namespace maskgrad::tests::test_reshaping
