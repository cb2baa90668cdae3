#include <cmath>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/linear/batched_matmul.hpp>
#include <maskgrad/autograd/ops/linear/einsum.hpp>
#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/normalization/normalize.hpp>

#include "counted.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_row_messages {
namespace {

/// f64[2, 3, 2], mask [2, 3].
Tensor masked() {
  return counted({2, 3, 2}).with_mask(holes());
}
/// f64[2, 3], mask [2, 3].
Tensor fully() {
  return counted({2, 3}).with_mask(holes());
}

using Binary = Tensor (*)(const Tensor&, const Tensor&);
constexpr auto mask_23 = ", mask [2, 3] made by Mask::keep";

}  // namespace

TEST_SUITE("messages of operations on rows") {
  TEST_CASE("arithmetic") {
    const Tensor truth = zeros({2}, DType::boolean);
    for (const auto f :
         std::initializer_list<Binary>{add, subtract, multiply, divide, power, maximum, minimum,
                                       floor_divide, remainder, atan2, logaddexp}) {
      CHECK(throws<ShapeError>(
          [&] {
            f(counted({2, 3}), counted({2, 2}));
          },
          "f64[2, 3] with f64[2, 2]: sizes 3 and 2 on axis 1 of the result; "
          "expected the same size, or 1"));
      CHECK(throws<TypeError>([&] { f(counted({2}), zeros({2})); },
                              "f64[2] with f32[2]; expected one element type. Use cast(x, "
                              "DType::f64)"));
      CHECK(throws<TypeError>([&] { f(truth, truth); }, "got bool[2]"));
    }
    for (const auto f : std::initializer_list<Binary>{divide, power, atan2, logaddexp}) {
      CHECK(throws<TypeError>([&] { f(arange(2), arange(2)); },
                              "got i64[2]; expected f32 or f64. Use cast(x, DType::f32)"));
    }
    for (const auto f : std::initializer_list<Binary>{equal, not_equal, less, less_equal, greater,
                                                      greater_equal}) {
      CHECK(throws<ShapeError>([&] { f(arange(2), arange(3)); }, "i64[2] with i64[3]: sizes 2 "));
      CHECK(throws<TypeError>([&] { f(arange(2), zeros({2})); }, "i64[2] with f32[2]"));
    }
    for (const auto f : std::initializer_list<Binary>{logical_and, logical_or, logical_xor}) {
      CHECK(
          throws<TypeError>([&] { f(truth, arange(2)); },
                            "got i64[2]; expected bool. Use a comparison such as not_equal(x, 0)"));
    }
  }

  TEST_CASE("a number takes the tensor's type, or is refused") {
    CHECK((arange(2) + 2).dtype() == DType::i64);
    CHECK(throws<TypeError>([] { arange(2) * 0.5; },
                            "multiply: the number 0.5 with i64[2]; expected a whole one. Use "
                            "cast(x, DType::f32)"));
    CHECK(
        throws<TypeError>([] { greater(arange(2), 0.5); }, "greater: the number 0.5 with i64[2]"));
    CHECK(throws<TypeError>([] { maximum(arange(2), 0.5); }, "maximum: the number 0.5"));
  }

  TEST_CASE("masks, put on and ended") {
    const Tensor x = counted({2, 3});
    CHECK(
        throws<MaskError>([&] { with_mask(x, {}); }, "with_mask: no mask was given for f64[2, 3]"));
    CHECK(throws<MaskError>(
        [&] {
          with_mask(x, Mask::from_lengths({1, 2}, 4));
        },
        "with_mask: a mask [2, 4] made by Mask::from_lengths for f64[2, 3]; "
        "expected the shape of the tensor's leading axes, such as [2, 3]"));
    CHECK(throws<OptionError>([] { drop_mask(fully(), ""); },
                              "drop_mask: no reason was given for f64[2, 3]", mask_23,
                              "say why padding may be data here"));
    CHECK(throws<TypeError>(
        [&] {
          cast(tensor<double>({1, INFINITY}, {2}), DType::i64);
        },
        "cast: the value inf does not fit i64"));
  }

  TEST_CASE("matmul") {
    CHECK(throws<ShapeError>(
        [] {
          matmul(counted({2, 3}), counted({2, 3}));
        },
        "matmul: f64[2, 3] times f64[2, 3]; expected x [..., k] and w [k, n] "
        "with the same k"));
    CHECK(throws<TypeError>([] { matmul(arange(2), counted({2, 3})); }, "matmul: got i64[2]"));
    CHECK(throws<TypeError>(
        [] {
          matmul(counted({3, 2}), zeros({2, 3}));
        },
        "matmul: f64[3, 2] with f32[2, 3]"));
    CHECK(throws<MaskError>(
        [] {
          matmul(counted({4, 2}), fully());
        },
        std::string("matmul: got f64[2, 3]") + mask_23 +
            ", but a matrix of weights has no padding; for two masked tensors "
            "use attention(q, k, v), or end the mask"));
    CHECK(throws<MaskError>(
        [] {
          matmul(fully(), counted({3, 2}));
        },
        std::string("matmul: f64[2, 3]") + mask_23 +
            " has a mask over its last axis, which would be summed over "
            "missing values; fill them first (x.drop_mask(\"why\")), or mask "
            "whole steps"));
    CHECK(throws<ShapeError>(
        [] {
          matmul(counted({2, 3}), counted({3, 2}), counted({3}));
        },
        "matmul: a bias f64[3] with w f64[3, 2]; expected [n] with w [k, n]"));
    CHECK(throws<TypeError>(
        [] {
          matmul(counted({2, 3}), counted({3, 2}), zeros({2}));
        },
        "matmul: f64[2, 3] with f32[2]"));
    CHECK(throws<MaskError>(
        [] {
          matmul(counted({2, 3}), counted({3, 2}), fully());
        },
        std::string("matmul: got f64[2, 3]") + mask_23 +
            ", but a bias has no padding; to mask rows, mask x"));
  }

  TEST_CASE("batched_matmul") {
    CHECK(throws<ShapeError>(
        [] {
          batched_matmul(counted({2, 3}), counted({2, 3}), true, true);
        },
        "batched_matmul: f64[2, 3] transposed times f64[2, 3] transposed; "
        "expected a [..., m, k] and b [..., k, n] with the same k, and "
        "leading axes of the same sizes, or 1"));
    CHECK(throws<ShapeError>(
        [] {
          batched_matmul(counted({2, 2, 3}), counted({3, 3, 2}));
        },
        "batched_matmul: f64[2, 2, 3] times f64[3, 3, 2]; expected"));
    CHECK(throws<ShapeError>(
        [] {
          batched_matmul(counted({3}), counted({3, 2}));
        },
        "batched_matmul: f64[3] times f64[3, 2]; expected"));
    CHECK(throws<TypeError>([] { batched_matmul(arange(2), arange(2)); }, "got i64[2]"));
    CHECK(throws<TypeError>(
        [] {
          batched_matmul(counted({3, 2}), zeros({2, 3}));
        },
        "batched_matmul: f64[3, 2] with f32[2, 3]"));
    CHECK(throws<MaskError>(
        [] {
          batched_matmul(masked(), counted({2, 2, 3}));
        },
        std::string("batched_matmul: f64[2, 3, 2]") + mask_23 +
            " with f64[2, 2, 3]: the mask covers an axis of the matrices, which would be paired or "
            "summed over missing values; expected a mask over leading axes alone. For two masked "
            "sequences use attention(q, k, v), for rows by a matrix matmul(x, w), or end the mask "
            "with x.drop_mask(\"why\")"));
  }

  TEST_CASE("einsum: formulas") {
    const Tensor x = counted({2, 3});
    const auto refuses = [&](const char* formula, const std::string& text) {
      return throws<OptionError>([&] { einsum(formula, {x, x}); }, "einsum: " + text);
    };
    CHECK(refuses("ij,1j->ij",
                  "at position 3 of \"ij,1j->ij\": '1'; expected letters, commas "
                  "between tensors and one \"->\""));
    CHECK(refuses("ii,ij->j",
                  "at position 1 of \"ii,ij->j\": 'i' twice in \"ii\"; expected "
                  "letters that differ in each tensor"));
    CHECK(refuses("ij,ij->k",
                  "at position 7 of \"ij,ij->k\": 'k' is in no tensor; expected "
                  "letters of the tensors in the result"));
    CHECK(refuses("ij,ij",
                  "at position 5 of \"ij,ij\": no \"->\"; expected the letters of the "
                  "result"));
    CHECK(refuses("ij->i", "\"ij->i\" is of 1 tensors, 2 were given; expected one or two of both"));
  }

  TEST_CASE("einsum: shapes, types and masks") {
    CHECK(throws<ShapeError>(
        [] {
          einsum("ijk->i", {counted({2, 3})});
        },
        "einsum: \"ijk\" in \"ijk->i\" for f64[2, 3]; expected a letter for "
        "each of its 2 axes"));
    CHECK(throws<ShapeError>(
        [] {
          einsum("ij,jk->ik", {counted({2, 3}), counted({2, 3})});
        },
        "einsum: 'j' in \"ij,jk->ik\" has size 3 in f64[2, 3] and 2 in "
        "f64[2, 3]; expected the same size"));
    CHECK(throws<TypeError>([] { einsum("i->", {arange(3)}); }, "einsum: got i64[3]"));
    CHECK(throws<TypeError>(
        [] {
          einsum("i,i->", {counted({3}), zeros({3})});
        },
        "einsum: f64[3] with f32[3]"));
    const std::string x = std::string("f64[2, 3, 2]") + mask_23;
    CHECK(throws<MaskError>([] { einsum("bti->bi", {masked()}); },
                            "einsum: \"bti->bi\" sums over 't', a mask axis of " + x +
                                "; expected inner axes. Use sum or mean over it, for two masked "
                                "sequences attention(q, k, v), or end the mask with "
                                "x.drop_mask(\"why\")"));
    CHECK(throws<MaskError>(
        [] {
          einsum("bti,bsi->bts", {masked(), masked()});
        },
        "einsum: \"bti,bsi->bts\" pairs mask axes \"bt\" and \"bs\", of " + x + " and " + x +
            "; expected the same ones. For two masked sequences use "
            "attention(q, k, v), or end a mask with x.drop_mask(\"why\")"));
    CHECK(
        throws<MaskError>([] { einsum("bti->tbi", {masked()}); },
                          "einsum: \"bti->tbi\" with " + x +
                              "; expected the mask axes \"bt\" first in the result, in their "
                              "order. Put them first, or end the mask with x.drop_mask(\"why\")"));
  }

  TEST_CASE("normalization") {
    const Tensor x = counted({2, 3});
    CHECK(throws<TypeError>([] { layer_normalize(arange(3), 1); }, "layer_normalize: got i64[3]"));
    CHECK(throws<OptionError>([&] { batch_normalize(x, 0); },
                              "batch_normalize: epsilon is 0; expected a number above 0"));
    CHECK(throws<ShapeError>([] { group_normalize(counted({3}), 1, 1); },
                             "group_normalize: got f64[3]; expected [batch, ..., features]"));
    CHECK(throws<MaskError>([] { layer_normalize(fully(), 1); },
                            std::string("layer_normalize: got f64[2, 3]") + mask_23 +
                                ", whose mask covers the features that meet here; use a mask over "
                                "whole steps, or x.drop_mask(\"why\", fill)"));
    CHECK(throws<ShapeError>(
        [&] {
          layer_normalize(x, 1, {counted({2}), {}});
        },
        "layer_normalize: gamma or beta is f64[2] for f64[2, 3]; expected "
        "[features]"));
    CHECK(throws<TypeError>(
        [&] {
          batch_normalize(x, 1, {{}, zeros({3})});
        },
        "batch_normalize: f64[2, 3] with f32[3]"));
    CHECK(throws<OptionError>([&] { group_normalize(x, 2, 1); },
                              "group_normalize: 2 groups for f64[2, 3]; expected a number that "
                              "divides its features"));
  }
}

}  // namespace maskgrad::tests::test_row_messages
