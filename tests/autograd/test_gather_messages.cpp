#include <doctest/doctest.h>

#include <maskgrad/autograd/ops/shape/gather.hpp>

#include "zeros.hpp"

namespace maskgrad::tests::test_gather_messages {

TEST_SUITE("messages of gathers") {
  TEST_CASE("take, one_hot and add_at") {
    const Tensor table = zeros({5, 2});
    CHECK_THROWS_WITH_AS(
        take(table, tensor<std::int64_t>({1, 5, 0, 2}, {2, 2})),
        "take: id 5 at position [0, 1] of i64[2, 2]; expected 0 <= id < 5, for the table f32[5, 2]",
        IndexError);
    const Tensor holes = tensor<std::int64_t>({7, 1, 2, -3}, {2, 2})
                             .with_mask(Mask::keep({{false, true}, {true, true}}));
    CHECK_THROWS_WITH_AS(take(table, holes),
                         "take: id -3 at position [1, 1] of i64[2, 2], mask [2, 2] made by "
                         "Mask::keep; expected 0 <= id < 5, for the table f32[5, 2]",
                         IndexError);
    CHECK_THROWS_WITH_AS(take(masked(), ids({2})),
                         "take: got f32[2, 3, 4], mask [2, 3] made by Mask::from_lengths, but the "
                         "table's rows are named by ids and have no mask; put the mask on the ids, "
                         "or end the mask with x.drop_mask(\"why\")",
                         MaskError);
    CHECK_THROWS_WITH_AS(take(table, zeros({2})),
                         "take: got f32[2]; expected ids, i64. Use cast(x, DType::i64)", TypeError);
    CHECK_THROWS_WITH_AS(take(zeros({}), ids({2})),
                         "take: the table is f32[]; expected at least one axis, [n, ...]",
                         ShapeError);
    CHECK_THROWS_WITH_AS(
        one_hot(tensor<std::int64_t>({3}, {1}), 3),
        "one_hot: id 3 at position [0] of i64[1]; expected 0 <= id < 3, for 3 classes", IndexError);
    CHECK_THROWS_WITH_AS(one_hot(zeros({2}), 3),
                         "one_hot: got f32[2]; expected ids, i64. Use cast(x, DType::i64)",
                         TypeError);
    CHECK_THROWS_WITH_AS(add_at(table, zeros({2}), zeros({2, 2})),
                         "add_at: got f32[2]; expected ids, i64. Use cast(x, DType::i64)",
                         TypeError);
    CHECK_THROWS_WITH_AS(add_at(table, ids({3}), zeros({3, 2}, DType::f64)),
                         "add_at: f32[5, 2] with f64[3, 2]; expected one element type. Use cast(x, "
                         "DType::f32)",
                         TypeError);
    CHECK_THROWS_WITH_AS(one_hot(ids({1}), 0), "one_hot: 0 classes for i64[1]; expected 1 or more",
                         ShapeError);
    CHECK_THROWS_WITH_AS(
        add_at(table, ids({3}), zeros({3, 4})),
        "add_at: values f32[3, 4] for ids i64[3] and the table f32[5, 2]; expected "
        "values of shape [3, 2]",
        ShapeError);
    CHECK_THROWS_WITH_AS(
        add_at(zeros({5, 3}), ids({2}), zeros({2, 3}).with_mask(Mask::from_lengths({3, 1}))),
        "add_at: values f32[2, 3], mask [2, 3] made by Mask::from_lengths have a mask of 2 axes, "
        "ids i64[2] have 1; expected a mask over axes of the ids. Set the others to 0 with "
        "or_else(values, zeros)",
        MaskError);
  }

  TEST_CASE("take_along_axis and scatter_add") {
    CHECK_THROWS_WITH_AS(
        take_along_axis(masked(), ids({2, 1, 4}), 1),
        "take_along_axis: axis 1 of f32[2, 3, 4], mask [2, 3] made by Mask::from_lengths is a mask "
        "axis, which it would cross; an index works along inner axes, or end the mask with "
        "x.drop_mask(\"why\")",
        MaskError);
    CHECK_THROWS_WITH_AS(take_along_axis(zeros({2, 3}), ids({3, 1}), 1),
                         "take_along_axis: the index is i64[3, 1] for f32[2, 3]; expected the same "
                         "sizes on every axis but 1",
                         ShapeError);
    CHECK_THROWS_WITH_AS(take_along_axis(zeros({1, 3}), tensor<std::int64_t>({0, 3}, {1, 2}), 1),
                         "take_along_axis: id 3 at position [0, 1] of i64[1, 2]; expected 0 <= id "
                         "< 3, for axis 1 of "
                         "f32[1, 3]",
                         IndexError);
    CHECK_THROWS_WITH_AS(scatter_add(zeros({2, 3}), ids({2, 2}), zeros({2, 3}), 1),
                         "scatter_add: updates f32[2, 3] for the index i64[2, 2]; expected one "
                         "shape",
                         ShapeError);
    CHECK_THROWS_WITH_AS(scatter_add(zeros({2, 3}), ids({2, 2}), zeros({2, 2}, DType::f64), 1),
                         "scatter_add: f32[2, 3] with f64[2, 2]; expected one element type. Use "
                         "cast(x, DType::f32)",
                         TypeError);
    const Tensor truth = zeros({2, 2}, DType::boolean);
    CHECK_THROWS_WITH_AS(scatter_add(truth, ids({2, 2}), truth, 1),
                         "scatter_add: got bool[2, 2]; expected numbers. Use cast(x, DType::f32)",
                         TypeError);
    CHECK_THROWS_WITH_AS(take_along_axis(zeros({2, 3}), zeros({2, 1}), 1),
                         "take_along_axis: got f32[2, 1]; expected ids, i64. Use cast(x, "
                         "DType::i64)",
                         TypeError);
    CHECK_THROWS_AS(scatter_add(masked(), ids({2, 1, 4}), zeros({2, 1, 4}), 1), MaskError);
  }
}

}  // namespace maskgrad::tests::test_gather_messages
