#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/permute.hpp>
#include <maskgrad/autograd/ops/shape/repeat.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>

#include "counted.hpp"

namespace maskgrad::tests::test_shape_values {

TEST_SUITE("reshape") {
  TEST_CASE("shares values and keeps or merges the mask") {
    const Tensor x = counted({2, 3, 2}).with_mask(holes());
    check(reshape(x, {2, 3, 2, 1}), {2, 3, 2, 1},
          {0, 1, none, none, 4, 5, none, none, 8, 9, 10, 11});
    const Tensor merged = reshape(x, {-1, 2});
    check(merged, {6, 2}, {0, 1, none, none, 4, 5, none, none, 8, 9, 10, 11});
    CHECK(merged.mask().shape() == Shape{6});
    CHECK(rows::of<double>(merged).data() == rows::of<double>(x).data());
    const Tensor split = reshape(merged, {3, 2, 2});
    CHECK(split.mask().to_vector() == Bits{true, false, true, false, true, true});
    CHECK(split.mask().shape() == Shape{3, 2});
  }

  TEST_CASE("-1 is what is left, also of nothing") {
    CHECK(reshape(counted({4, 6}), {2, -1}).shape() == Shape{2, 12});
    CHECK(reshape(counted({0, 6}), {-1, 3}).shape() == Shape{0, 3});
    const Tensor x = counted({0, 5, 4}).with_mask(Mask::keep(Bits{}, {0, 5}));
    const Tensor y = reshape(x, {0, 5, 2, -1});
    CHECK(y.shape() == Shape{0, 5, 2, 2});
    CHECK(y.mask().shape() == Shape{0, 5});
  }

  TEST_CASE("masks of rank 0 and over every axis") {
    const Tensor one = counted({4}).with_mask(Mask::keep(Bits{true}, {}));
    CHECK(reshape(one, {2, 2}).mask().rank() == 0);
    const Tensor full = counted({2, 3}).with_mask(holes());
    const Tensor y = reshape(full, {3, 2});
    CHECK(y.mask().shape() == Shape{3, 2});
    check(y, {3, 2}, {0, none, 2, none, 4, 5});
  }

  TEST_CASE("without data, sizes stay free") {
    const Mask m = masks::meta({any, any}, "a test");
    const Tensor x = rows::make_meta({any, any, 16}, DType::f32, m);
    CHECK(reshape(x, {any, any, 4, 4}).shape() == Shape{any, any, 4, 4});
    const Tensor merged = reshape(x, {any, 16});
    CHECK(merged.shape() == Shape{any, 16});
    CHECK(merged.mask().shape() == Shape{any});
    CHECK(reshape(rows::make_meta({any, 3, 4}, DType::f32), {any, 12}).shape() == Shape{any, 12});
    CHECK(flatten(rows::make_meta({any, 3, 4}, DType::f32)).shape() == Shape{any, 12});
    CHECK(flatten(rows::make_meta({any, any, 4}, DType::f32)).shape() == Shape{any, any});
  }

  TEST_CASE("flatten, expand_dims, squeeze") {
    const Tensor x = counted({2, 3, 2}).with_mask(holes());
    CHECK(flatten(counted({2, 3, 2})).shape() == Shape{2, 6});
    const Tensor steps = flatten(x, 0, 1);
    CHECK(steps.shape() == Shape{6, 2});
    CHECK(steps.mask().shape() == Shape{6});
    CHECK(expand_dims(x, 1).mask().shape() == Shape{2, 1, 3});
    CHECK(expand_dims(x, 2).mask().shape() == Shape{2, 3});
    CHECK(expand_dims(x, 2).shape() == Shape{2, 3, 1, 2});
    CHECK(squeeze(expand_dims(x, 0), 0).mask() == x.mask());
  }
}

TEST_SUITE("permute") {
  TEST_CASE("mask axes among themselves") {
    const Tensor x = counted({2, 3, 2}).with_mask(holes());
    const Tensor y = permute(x, {1, 0, 2});
    check(y, {3, 2, 2}, {0, 1, none, none, none, none, 8, 9, 4, 5, 10, 11});
    CHECK(y.mask().to_vector() == Bits{true, false, false, true, true, true});
  }
}

TEST_SUITE("slice") {
  TEST_CASE("none of the steps, and a step beyond the end") {
    const Tensor x = counted({3, 4});
    check(slice(x, 1, 1, to_end, to_end), {3, 1}, {1, 5, 9});
    check(slice(x, 1, 2, 2), {3, 0}, {});
    CHECK(slice(counted({4, 0}), 0, 2).shape() == Shape{2, 0});
  }

  TEST_CASE("mask axes: the mask is sliced too") {
    const Tensor x = counted({2, 3, 2}).with_mask(holes());
    const Tensor y = slice(x, 1, 1, 3);
    check(y, {2, 2, 2}, {none, none, 4, 5, 8, 9, 10, 11});
    CHECK(y.mask().to_vector() == Bits{false, true, true, true});
    const Tensor step = select(x, 1, 1);
    check(step, {2, 2}, {none, none, 8, 9});
    CHECK(step.mask().to_vector() == Bits{false, true});
    const Tensor second = select(x, 0, 1);
    CHECK(second.mask().to_vector() == Bits{false, true, true});
    const Tensor nothing = select(select(x, 0, 0), 0, 1);
    CHECK(nothing.shape() == Shape{2});
    CHECK(nothing.mask().rank() == 0);
    CHECK(nothing.mask().valid() == 0);
  }

  TEST_CASE("gradients go back to where values came from") {
    const Tensor x = counted({2, 3, 2}).with_grad();
    const Tensor masked = x.with_mask(holes());
    CHECK(pulled(x, select(masked, 1, 2)) == Values{0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 3, 4});
    CHECK(pulled(x, slice(x, 2, 1, 2)) == Values{0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6});
  }

  TEST_CASE("without data") {
    const Tensor x = rows::make_meta({any, any, 4}, DType::f32, masks::meta({any, any}, "a test"));
    CHECK(select(x, 1, -1).shape() == Shape{any, 4});
    CHECK(select(x, 1, 7).mask().shape() == Shape{any});
    CHECK(slice(x, 1, 2, 7).shape() == Shape{any, 5, 4});
    CHECK(slice(x, 1, -3).shape() == Shape{any, 3, 4});
    CHECK(slice(x, 1, 1, -1).shape() == Shape{any, any, 4});
  }
}

TEST_SUITE("concatenate") {
  TEST_CASE("inner axes AND the masks") {
    const Tensor a = counted({2, 3, 1}).with_mask(holes());
    const Tensor b = counted({2, 3, 1}).with_mask(Mask::from_lengths({3, 2}));
    const Tensor c = counted({2, 3, 1}).with_mask(Mask::keep(Bits{true, false}, {2}));
    const Tensor y = concatenate({a, b, c, counted({2, 3, 1})});
    CHECK(y.mask().to_vector() == Bits{true, false, true, false, false, false});
    check(y, {2, 3, 4}, {0,    0,    0,    0,    none, none, none, none, 2,    2,    2,    2,
                         none, none, none, none, none, none, none, none, none, none, none, none});
  }

  TEST_CASE("mask axes put masks side by side") {
    const Tensor a = counted({2, 2, 1}).with_mask(Mask::from_lengths({1, 2}));
    const Tensor y = concatenate({a, counted({2, 1, 1}), counted({2, 0, 1})}, 1);
    check(y, {2, 3, 1}, {0, none, 0, 2, 3, 1});
    const Tensor z = concatenate({a, a}, 0);
    CHECK(z.mask().to_vector() == Bits{true, false, true, true, true, false, true, true});
    const Tensor rows_only = counted({2, 1, 1}).with_mask(Mask::keep(Bits{false, true}, {2}));
    const Tensor mixed = concatenate({rows_only, a}, 1);
    check(mixed, {2, 3, 1}, {none, 0, none, 1, 2, 3});
  }

  TEST_CASE("gradients are the pieces") {
    const Tensor a = counted({2, 2}).with_grad(), b = counted({2, 1}).with_grad();
    CHECK(pulled(a, concatenate({a, b})) == Values{1, 2, 4, 5});
    b.clear_grad();
    CHECK(pulled(b, concatenate({a, b})) == Values{3, 6});
  }

  TEST_CASE("stack keeps each part's mask behind the mask axes") {
    const Tensor x = counted({2, 3, 2}).with_mask(holes());
    const Tensor y = stack({select(x, 1, 0), select(x, 1, 1), select(x, 1, 2)}, 1);
    CHECK(y.mask() == x.mask());
    CHECK(y.to_vector<double>() == x.to_vector<double>());
  }
}

TEST_SUITE("repeat") {
  TEST_CASE("a gradient is summed over the copies") {
    const Tensor g = counted({2, 2}).with_grad();
    CHECK(pulled(g, tile(g, 2, 0)) == Values{6, 8, 10, 12});
  }

  TEST_CASE("broadcast_to broadcasts the mask") {
    const Tensor x = counted({2, 1}).with_mask(Mask::keep(Bits{true, false}, {2}));
    const Tensor y = broadcast_to(x, {3, 2, 2});
    CHECK(y.mask().shape() == Shape{3, 2});
    CHECK(y.mask().valid() == 3);
    const Tensor steps =
        broadcast_to(counted({2, 1}).with_mask(Mask::from_lengths({1, 0})), {2, 3});
    CHECK(steps.mask().to_vector() == Bits{true, true, true, false, false, false});
  }
}

}  // namespace maskgrad::tests::test_shape_values
