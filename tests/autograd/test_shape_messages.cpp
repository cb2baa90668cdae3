#include <doctest/doctest.h>

#include <limits>

#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/sequence/sequence.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/permute.hpp>
#include <maskgrad/autograd/ops/shape/repeat.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/core/mask_rows.hpp>
#include <maskgrad/core/rows.hpp>

#include "zeros.hpp"

namespace maskgrad::tests::test_shape_messages {

TEST_SUITE("messages of operations that move values") {
  TEST_CASE("reshape") {
    CHECK_THROWS_WITH_AS(
        reshape(masked(), {2, 12}),
        "reshape: f32[2, 3, 4], mask [2, 3] made by Mask::from_lengths to [2, 12]: an axis of the "
        "result would hold mask axes and inner axes; expected sizes that merge or split either "
        "group, [2, 3] or [4]. Reshape these, or end the mask with x.drop_mask(\"why\")",
        MaskError);
    CHECK_THROWS_WITH_AS(reshape(zeros({2, 3}), {4, 2}),
                         "reshape: f32[2, 3] to [4, 2]: the numbers of values differ; expected the "
                         "same number",
                         ShapeError);
    CHECK_THROWS_WITH_AS(reshape(masked(), {7, 4}),
                         "reshape: f32[2, 3, 4], mask [2, 3] made by Mask::from_lengths to [7, 4]: "
                         "the numbers of values differ; expected the same number",
                         ShapeError);
    constexpr auto twice =
        "reshape: f32[2, 3] to [any, any, 2]: the numbers of values differ; expected the same "
        "number, -1 once for the size that is left";
    CHECK_THROWS_WITH_AS(reshape(zeros({2, 3}), {-1, -1, 2}), twice, ShapeError);
    CHECK_THROWS_AS(reshape(zeros({0, 3}), {-1, 0}), ShapeError);
    CHECK_THROWS_AS(reshape(zeros({2, 3}), {std::int64_t{1} << 40, std::int64_t{1} << 40}),
                    ShapeError);
  }

  TEST_CASE("reshape of a tensor without data refuses what crosses the mask") {
    const Tensor x = rows::make_meta({any, any, 4}, DType::f32, masks::meta({any, any}, "a test"));
    CHECK_THROWS_AS(reshape(x, {any, 20}), MaskError);
    CHECK_THROWS_AS(flatten(x), MaskError);
    CHECK_THROWS_AS(transpose(x, 1, 2), MaskError);
  }

  TEST_CASE("flatten, expand_dims, squeeze") {
    CHECK_THROWS_WITH_AS(
        flatten(masked()),
        "flatten: axes 1 to 2 of f32[2, 3, 4], mask [2, 3] made by Mask::from_lengths: axes 0 to 1 "
        "are mask axes, the others inner; expected axes of one group. Flatten either group by "
        "itself, or end the mask with x.drop_mask(\"why\")",
        MaskError);
    CHECK_THROWS_WITH_AS(flatten(zeros({2, 3}), 1, 0),
                         "flatten: axes 1 to 0 of f32[2, 3]; expected the first before the last",
                         ShapeError);
    CHECK_THROWS_WITH_AS(expand_dims(zeros({2}), 2),
                         "expand_dims: axis 2 of f32[2]; expected -2 to 1", ShapeError);
    CHECK_THROWS_WITH_AS(squeeze(zeros({2, 3}), 1),
                         "squeeze: axis 1 of f32[2, 3] has size 3; expected 1. Use select(x, 1, "
                         "index)",
                         ShapeError);
  }

  TEST_CASE("permute") {
    CHECK_THROWS_WITH_AS(
        transpose(masked(), 1, 2),
        "transpose: axes of f32[2, 3, 4], mask [2, 3] made by Mask::from_lengths in the order [0, "
        "2, 1]: inner axis 2 would stand among the mask axes; expected the mask axes among "
        "themselves, first. Keep them first, or end the mask with x.drop_mask(\"why\")",
        MaskError);
    CHECK_THROWS_WITH_AS(
        permute(zeros({2, 3}), {0, 0}),
        "permute: the order [0, 0] for f32[2, 3]; expected each of its 2 axes once", ShapeError);
    CHECK_THROWS_WITH_AS(permute(zeros({2, 3}), {0}),
                         "permute: the order [0] for f32[2, 3]; expected each of its 2 axes once",
                         ShapeError);
    CHECK_THROWS_AS(permute(zeros({2, 3}), {0, 2}), ShapeError);
    CHECK_THROWS_AS(moveaxis(masked(), 0, -1), MaskError);
  }

  TEST_CASE("slice and select") {
    CHECK_THROWS_WITH_AS(
        slice(zeros({2, 3}), 1, 1, 4),
        "slice: steps 1 to 4 on axis 1 of f32[2, 3]; expected 0 <= start <= stop "
        "<= 3 (negative ones count from the back). Leave stop out to go to the end",
        IndexError);
    CHECK_THROWS_WITH_AS(slice(zeros({2, 3}), 1, 4),
                         "slice: steps 4 to the end on axis 1 of f32[2, 3]; expected 0 <= start <= "
                         "stop <= 3 (negative ones count from the back). Leave stop out to go to "
                         "the end",
                         IndexError);
    CHECK_THROWS_AS(slice(zeros({2, 3}), 1, 2, 1), IndexError);
    CHECK_THROWS_AS(slice(zeros({2, 3}), 1, -4), IndexError);
    CHECK_THROWS_WITH_AS(slice(zeros({2, 3}), 1, 0, 3, 0),
                         "slice: step 0 on axis 1 of f32[2, 3]; expected 1 or more", IndexError);
    CHECK_THROWS_WITH_AS(
        slice(rows::make_meta({any, 3}, DType::f32), 0, 3, 1),
        "slice: steps 3 to 1 on axis 0 of f32[any, 3]; expected 0 <= start <= stop "
        "<= its size (negative ones count from the back). Leave stop out to go to "
        "the end",
        IndexError);
    CHECK_THROWS_WITH_AS(
        select(masked(), 1, 3),
        "select: index 3 on axis 1 of f32[2, 3, 4], mask [2, 3] made by Mask::from_lengths; "
        "expected -3 to 2",
        IndexError);
    CHECK_THROWS_WITH_AS(select(zeros({0}), 0, 0),
                         "select: index 0 on axis 0 of f32[0], which has no steps; select from one "
                         "that has",
                         IndexError);
    CHECK_THROWS_AS(select(zeros({2}), 1, 0), ShapeError);
  }

  TEST_CASE("concatenate and stack") {
    CHECK_THROWS_WITH_AS(concatenate({}),
                         "concatenate: got no parts; expected one or more, to know the shape",
                         ShapeError);
    CHECK_THROWS_WITH_AS(concatenate({zeros({2, 3}), zeros({3, 3})}, 1),
                         "concatenate: part 0 is f32[2, 3], part 1 is f32[3, 3]; expected the same "
                         "sizes on every axis but 1",
                         ShapeError);
    CHECK_THROWS_WITH_AS(
        concatenate({zeros({2}), zeros({2}, DType::f64)}),
        "concatenate: f32[2] with f64[2]; expected one element type. Use cast(x, DType::f32)",
        TypeError);
    CHECK_THROWS_WITH_AS(stack({}), "stack: got no parts; expected one or more, to know the shape",
                         ShapeError);
    CHECK_THROWS_WITH_AS(stack({zeros({2}), zeros({3})}),
                         "stack: part 0 is f32[2], part 1 is f32[3]; expected parts of one shape",
                         ShapeError);
    CHECK_THROWS_WITH_AS(stack({zeros({2})}, 2), "stack: axis 2 for parts f32[2]; expected -2 to 1",
                         ShapeError);
  }

  TEST_CASE("sequences") {
    CHECK_THROWS_WITH_AS(
        reverse(masked(), 0),
        "reverse: axis 0 of f32[2, 3, 4], mask [2, 3] made by Mask::from_lengths is a mask axis, "
        "but a sequence's steps lie along the last one, 1. Name axis 1, or bring the axis there "
        "with permute",
        MaskError);
    CHECK_THROWS_WITH_AS(
        last_valid(zeros({3})),
        "last_valid: axis 1 of a tensor of shape [3]; expected an axis from -1 to 0", ShapeError);
    CHECK_THROWS_WITH_AS(take_step(zeros({2, 3}), 3),
                         "take_step: step 3 on axis 1 of f32[2, 3]; expected -3 to 2", IndexError);
    CHECK_THROWS_WITH_AS(last_valid(zeros({2, 0})),
                         "last_valid: step -1 on axis 1 of f32[2, 0], which has no steps; put a "
                         "mask on, under which it need not exist",
                         IndexError);
  }

  TEST_CASE("where and or_else") {
    CHECK_THROWS_WITH_AS(
        where(zeros({2}), zeros({2}), zeros({2})),
        "where: the condition is f32[2]; expected bool. Compare it, as in not_equal(x, y)",
        TypeError);
    CHECK_THROWS_AS(where(tensor({true}, {1}), zeros({2}), zeros({3})), ShapeError);
    CHECK_THROWS_WITH_AS(where(tensor({true}, {1}), zeros({2}), zeros({2}, DType::f64)),
                         "where: f32[2] with f64[2]; expected one element type. Use cast(x, "
                         "DType::f32)",
                         TypeError);
    CHECK_THROWS_AS(where(tensor({true, false, true}, {3}), zeros({2}), zeros({2})), ShapeError);
    CHECK_THROWS_WITH_AS(or_else(zeros({2, 3}), zeros({3})),
                         "or_else: f32[2, 3] or else f32[3]; expected one shape. Bring the second "
                         "to it with broadcast_to(b, shape)",
                         ShapeError);
    CHECK_THROWS_WITH_AS(or_else(zeros({2}), zeros({2}, DType::f64)),
                         "or_else: f32[2] with f64[2]; expected one element type. Use cast(x, "
                         "DType::f32)",
                         TypeError);
  }

  TEST_CASE("repeat, tile, pad, roll, broadcast_to") {
    CHECK_THROWS_WITH_AS(
        repeat(masked(), 2, 1),
        "repeat: axis 1 of f32[2, 3, 4], mask [2, 3] made by Mask::from_lengths is a mask axis, "
        "which it would cross; it works on inner axes, or end the mask with x.drop_mask(\"why\")",
        MaskError);
    CHECK_THROWS_AS(tile(masked(), 2, 0), MaskError);
    CHECK_THROWS_AS(pad(masked(), 1, 1, 1), MaskError);
    CHECK_THROWS_AS(roll(masked(), 1, 1), MaskError);
    CHECK_THROWS_WITH_AS(
        tile(zeros({2}), -1, 0),
        "tile: -1 times axis 0 of f32[2]; expected 0 or more, and a size that i64 can hold",
        ShapeError);
    CHECK_THROWS_WITH_AS(pad(zeros({2}), 0, -1, 0),
                         "pad: -1 before and 0 after axis 0 of f32[2]; expected 0 or more. Use "
                         "slice to make an axis shorter",
                         ShapeError);
    CHECK_THROWS_WITH_AS(broadcast_to(zeros({2, 3}), {3}),
                         "broadcast_to: f32[2, 3] to [3]; expected sizes equal to the last ones "
                         "there, or 1",
                         ShapeError);
    CHECK_THROWS_WITH_AS(broadcast_to(zeros({2}), {3}),
                         "broadcast_to: f32[2] to [3]; expected sizes equal to the last ones "
                         "there, or 1",
                         ShapeError);
    CHECK_THROWS_AS(broadcast_to(zeros({3}), {1}), ShapeError);
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    CHECK_THROWS_AS(repeat(zeros({4}), most, 0), ShapeError);
    CHECK_THROWS_AS(pad(zeros({4}), 0, most, most), ShapeError);
    CHECK_THROWS_WITH_AS(pad(ids({2}), 0, 1, 0, 1e30),
                         "pad: the fill 1e+30 for i64; expected a number that i64 can hold",
                         TypeError);
  }
}

}  // namespace maskgrad::tests::test_shape_messages
