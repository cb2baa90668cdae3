#include <maskgrad/autograd/ops/additive_attention.hpp>
#include <maskgrad/autograd/ops/attention.hpp>
#include <maskgrad/autograd/ops/positions.hpp>
#include <maskgrad/autograd/ops/recurrent.hpp>
#include <maskgrad/autograd/ops/segment.hpp>
#include <maskgrad/autograd/ops/windows.hpp>

#include "counted.hpp"
#include "throws.hpp"

namespace maskgrad::tests {
namespace {

/// x under a mask over all of its axes.
Tensor fully(const Tensor& x) {
  return x.with_mask(
      Mask::keep(Bits(static_cast<std::size_t>(x.shape().count()), true), x.shape()));
}
Tensor made(const Shape& shape) {
  return zeros(shape, DType::f64);
}

constexpr auto whole_step =
    " has a mask over features; a step is there or not as a whole. Mask [batch, time], or fill "
    "single values with x.drop_mask(\"why\")";

}  // namespace

TEST_SUITE("messages of operations on sequences") {
  const Tensor q = made({2, 4, 2, 3}), k = made({2, 5, 2, 3}), v = made({2, 5, 2, 2});

  TEST_CASE("attention: shapes") {
    CHECK(throws<ShapeError>(
        [&] {
          attention(made({2, 4, 3}), k, v);
        },
        "attention: got f64[2, 4, 3] with 3 axes; expected 4 [batch, query, "
        "heads, dim]; without heads, expand_dims(q, 2)"));
    CHECK(throws<ShapeError>(
        [&] {
          attention(q, made({2, 5, 3}), v);
        },
        "attention: got f64[2, 5, 3] with 3 axes; expected 4 [batch, key, "
        "heads, dim]; without heads, expand_dims(k, 2)"));
    CHECK(throws<ShapeError>(
        [&] {
          attention(q, k, made({2, 5, 2}));
        },
        "attention: got f64[2, 5, 2] with 3 axes; expected 4 [batch, key, "
        "heads, dim]; without heads, expand_dims(v, 2)"));
    for (const Shape& shape : {Shape{2, 5, 2, 4}, Shape{3, 5, 2, 3}}) {
      CHECK(throws<ShapeError>([&] { attention(q, made(shape), v); },
                               "attention: queries f64[2, 4, 2, 3] with keys f64" + shape.str() +
                                   "; expected the same batch, and the same dim of 1 or more"));
    }
    CHECK(throws<ShapeError>(
        [&] {
          attention_scores(made({2, 4, 3, 3}), k);
        },
        "attention_scores: 3 heads in queries f64[2, 4, 3, 3] with 2 in keys "
        "f64[2, 5, 2, 3]; expected as many, or a multiple, so that each key "
        "head serves as many query heads"));
    CHECK(throws<ShapeError>(
        [&] {
          attention(q, k, made({2, 4, 2, 2}));
        },
        "attention: keys f64[2, 5, 2, 3] with values f64[2, 4, 2, 2]; "
        "expected the same batch, key and heads, and a dim of 1 or more"));
  }

  TEST_CASE("attention: types, options and masks") {
    CHECK(throws<TypeError>([] { attention_scores(arange(3), arange(3)); },
                            "attention_scores: got i64[3]; expected f32 or f64"));
    CHECK(throws<TypeError>(
        [&] {
          attention(q, zeros({2, 5, 2, 3}), v);
        },
        "attention: f64[2, 4, 2, 3] with f32[2, 5, 2, 3]; expected one "
        "element type. Use cast(x, DType::f64)"));
    CHECK(throws<TypeError>(
        [&] {
          attention(q, k, zeros({2, 5, 2, 2}));
        },
        "attention: f64[2, 5, 2, 3] with f32[2, 5, 2, 2]"));
    CHECK(throws<TypeError>(
        [&] {
          attention(q, k, v, {.bias = zeros({4, 5})});
        },
        "attention: f64[2, 4, 2, 3] with f32[4, 5]"));
    CHECK(throws<ShapeError>(
        [&] {
          attention(q, k, v, {.bias = made({3, 4, 5})});
        },
        "attention: the bias f64[3, 4, 5] for queries f64[2, 4, 2, 3] and keys f64[2, 5, 2, 3]; "
        "expected [query, key], [heads, query, key] or [batch, heads, query, key] of the sizes "
        "[2, 2, 4, 5], or 1"));
    CHECK(throws<MaskError>(
        [&] {
          attention(q, k, v, {.bias = fully(made({4, 5}))});
        },
        "attention: got f64[4, 5], mask [4, 5] made by Mask::keep, but a bias is added to pairs, "
        "which have masks already; hide a pair by -infinity, or end the mask with "
        "x.drop_mask(\"why\")"));
    CHECK(throws<OptionError>([&] { attention(q, k, v, {.window = -1}); },
                              "attention: the window is -1; expected 0 or more keys on either "
                              "side"));
    CHECK(throws<OptionError>([&] { attention(q, k, v, {.dropout = 1}); },
                              "attention: dropout is 1; expected a probability from 0 up to but "
                              "not 1"));
    const auto over_heads = [](const Tensor& x) {
      return fully(x).describe() +
             " has a mask over heads; a step is there or not as a whole. Mask [batch, time], or "
             "fill single values with x.drop_mask(\"why\")";
    };
    CHECK(throws<MaskError>([&] { attention(fully(q), k, v); }, "attention: " + over_heads(q)));
    CHECK(throws<MaskError>([&] { attention(q, fully(k), v); }, "attention: " + over_heads(k)));
    CHECK(throws<MaskError>([&] { attention(q, k, fully(v)); }, "attention: " + over_heads(v)));
  }

  TEST_CASE("additive attention") {
    const Tensor a = made({2, 4, 3}), b = made({2, 5, 3}), c = made({2, 5, 2}), w = made({3});
    CHECK(throws<ShapeError>([&] { additive_attention_scores(q, b, w); },
                             "additive_attention_scores: got f64[2, 4, 2, 3] with 4 axes; expected "
                             "3 [batch, query, features]"));
    CHECK(throws<ShapeError>([&] { additive_attention(a, k, c, w); },
                             "additive_attention: got f64[2, 5, 2, 3] with 4 axes; expected 3 "
                             "[batch, key, features]"));
    CHECK(throws<ShapeError>([&] { additive_attention(a, b, v, w); },
                             "additive_attention: got f64[2, 5, 2, 2] with 4 axes; expected 3 "
                             "[batch, key, features]"));
    CHECK(throws<ShapeError>(
        [&] {
          additive_attention(a, b, made({2, 4, 2}), w);
        },
        "additive_attention: keys f64[2, 5, 3] with values f64[2, 4, 2]; "
        "expected the same batch and key"));
    CHECK(throws<ShapeError>([&] { additive_attention(a, b, c, made({2})); },
                             "additive_attention: the weights f64[2] for queries f64[2, 4, 3]; "
                             "expected one for each feature"));
    CHECK(throws<TypeError>(
        [&] {
          additive_attention(a, b, zeros({2, 5, 2}), w);
        },
        "additive_attention: f64[2, 5, 3] with f32[2, 5, 2]"));
    CHECK(throws<MaskError>([&] { additive_attention(a, b, c, fully(w)); },
                            "additive_attention: got f64[3], mask [3] made by Mask::keep, but it "
                            "weighs the features of every pair; mask queries or keys, or end "
                            "the mask with x.drop_mask(\"why\")"));
    CHECK(throws<ShapeError>(
        [&] {
          additive_attention(a, made({2, 5, 4}), c, w);
        },
        "expected the same batch, and the same dim of 1 or more"));
    CHECK(throws<OptionError>([&] { additive_attention(a, b, c, w, {.dropout = 1}); },
                              "additive_attention: dropout is 1"));
    CHECK(throws<MaskError>([&] { additive_attention(fully(a), b, c, w); },
                            "additive_attention: " + fully(a).describe() + " has a mask over"));
  }

  TEST_CASE("recurrent") {
    using kernels::Cell;
    const Tensor x = made({2, 4, 3}), kernel = made({3, 6}), own = made({2, 6}), h = made({2, 2});
    const auto gru = [&](const Tensor& input, const RecurrentWeights& w,
                         const RecurrentState& state = {}) {
      recurrent(Cell::gru, true, false, input, w, state);
    };
    const RecurrentWeights weights{kernel, own, {}};
    CHECK(throws<TypeError>([&] { gru(arange(3), weights); }, "recurrent: got i64[3]"));
    CHECK(throws<TypeError>(
        [&] {
          gru(x, {zeros({3, 6}), own, {}});
        },
        "recurrent: f64[2, 4, 3] with f32[3, 6]"));
    CHECK(throws<ShapeError>([&] { gru(h, weights); },
                             "recurrent: got f64[2, 2] with 2 axes; expected 3 [batch, time, "
                             "features]"));
    CHECK(throws<MaskError>([&] { gru(fully(x), weights); }, fully(x).describe() + whole_step));
    const std::string where = " for the input f64[2, 4, 3] and 2 units";
    CHECK(throws<ShapeError>(
        [&] {
          gru(x, {made({3, 2}), own, {}});
        },
        "recurrent: the kernel is f64[3, 2]; expected [3, 6]" + where));
    CHECK(throws<ShapeError>(
        [&] {
          gru(x, {kernel, made({2, 2}), {}});
        },
        "recurrent: the recurrent kernel is f64[2, 2]; expected [2, 6]" + where));
    CHECK(throws<ShapeError>(
        [&] {
          gru(x, {kernel, own, made({6})});
        },
        "recurrent: the bias is f64[6]; expected [2, 6]" + where));
    CHECK(throws<ShapeError>(
        [&] {
          gru(x, weights, {made({3, 2}), {}});
        },
        "recurrent: the initial state is f64[3, 2]; expected [2, 2]" + where));
    CHECK(throws<ShapeError>(
        [&] {
          gru(x, weights, {h, made({2, 3})});
        },
        "recurrent: the initial cell state is f64[2, 3]; expected [2, 2]"));
    CHECK(throws<MaskError>(
        [&] {
          gru(x, {fully(kernel), own, {}});
        },
        "recurrent: got f64[3, 6], mask [3, 6] made by Mask::keep, but weights "
        "have no padding; put the mask on the input, or end the mask with "
        "x.drop_mask(\"why\")"));
    const Tensor some = h.with_mask(Mask::keep(Bits{true, false}, {2}));
    const std::string own_mask =
        "recurrent: the initial state f64[2, 2], mask [2] made by Mask::keep lacks sequences of "
        "the input f64[2, 4, 3]; expected a state for each. Give the others one with "
        "or_else(state, zeros)";
    CHECK(throws<MaskError>([&] { gru(x, weights, {some, {}}); }, own_mask));
    CHECK(throws<MaskError>([&] { gru(x, weights, {h, some}); }, "the initial cell state"));
    CHECK(throws<MaskError>(
        [&] {
          gru(x.with_mask(Mask::keep(Bits{true, true}, {2})), weights, {some, {}});
        },
        "lacks sequences of the input"));
    CHECK_NOTHROW(gru(x.with_mask(some.mask()), weights, {some, {}}));
  }

  TEST_CASE("windows") {
    const Tensor x = made({2, 4, 3});
    CHECK(throws<TypeError>(
        [&] {
          windows(zeros({2, 4, 3}, DType::boolean), {});
        },
        "windows: got bool[2, 4, 3]; expected numbers"));
    CHECK(throws<ShapeError>(
        [] {
          windows(made({2, 4}), {});
        },
        "windows: got f64[2, 4] with 2 axes; expected 3 [batch, time, "
        "features]"));
    CHECK(throws<OptionError>([&] { windows(x, {.width = 0}); },
                              "windows: width 0, stride 1, dilation 1; expected 1 or more each"));
    CHECK(throws<OptionError>([&] { windows(x, {.stride = 0}); }, "stride 0"));
    CHECK(throws<OptionError>([&] { windows(x, {.dilation = -1}); }, "dilation -1"));
    CHECK(throws<MaskError>([&] { windows(fully(x), {}); }, fully(x).describe() + whole_step));
  }

  TEST_CASE("segments") {
    const Tensor x = made({2, 3, 2}), ids = zeros({2, 3}, DType::i64);
    for (auto f : {segment_sum, segment_mean, segment_max}) {
      CHECK(throws<TypeError>([&] { f(ids, ids, 2); }, "got i64[2, 3]; expected f32 or f64"));
      CHECK(throws<TypeError>([&] { f(x, x, 2); }, "got f64[2, 3, 2]; expected ids, i64"));
      CHECK(throws<ShapeError>([&] { f(x, arange(3), 2); },
                               "got i64[3] with 1 axes; expected 2 [batch, time]"));
      CHECK(throws<OptionError>([&] { f(x, ids, 0); },
                                "0 segments for f64[2, 3, 2]; expected 1 or more"));
      CHECK(throws<ShapeError>(
          [&] {
            f(x, zeros({2, 4}, DType::i64), 2);
          },
          "f64[2, 3, 2] with ids i64[2, 4]; expected x [batch, time, ...] and "
          "ids [batch, time]"));
      CHECK(throws<MaskError>([&] { f(fully(x), ids, 2); },
                              fully(x).describe() +
                                  " has a mask over features; a step is in its segment as a whole. "
                                  "Mask [batch, time], or fill single values with "
                                  "x.drop_mask(\"why\")"));
      const Tensor beyond = tensor<std::int64_t>({0, 0, 0, 0, 2, 0}, {2, 3});
      CHECK(throws<IndexError>([&] { f(x, beyond, 2); },
                               "id 2 at position [1, 1] of i64[2, 3]; expected 0 <= id < 2, the "
                               "segments"));
    }
  }

  TEST_CASE("positions") {
    CHECK(throws<ShapeError>([] { positions(arange(3)); },
                             "positions: input is i64[3]; expected [batch, time, ...]"));
    const Tensor x = made({2, 3, 4});
    CHECK(throws<MaskError>([&] { positions(fully(x)); },
                            fully(x).describe() +
                                " has a mask over more than its steps; a step is there or not as a "
                                "whole. Mask [batch, time], or fill single values with "
                                "x.drop_mask(\"why\")"));
    CHECK(throws<TypeError>(
        [] {
          rotate_by_position(zeros({2, 3, 4}, DType::i64), {1});
        },
        "rotate_by_position: got i64[2, 3, 4]"));
    CHECK(throws<MaskError>(
        [&] {
          rotate_by_position(fully(x), {1, 1});
        },
        "rotate_by_position: f64[2, 3, 4]"));
    CHECK(throws<ShapeError>(
        [&] {
          rotate_by_position(x, {1, 2, 3});
        },
        "rotate_by_position: input is f64[2, 3, 4] with 3 frequencies; "
        "expected [batch, time, ..., 6]"));
  }
}

}  // namespace maskgrad::tests
