#include <maskgrad/autograd/ops/attention/additive_attention.hpp>
#include <maskgrad/autograd/ops/attention/attention.hpp>

#include "counted.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_attention_messages {
namespace {

Tensor made(const Shape& shape) {
  return zeros(shape, DType::f64);
}

}  // namespace

TEST_SUITE("messages of attention") {
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

  TEST_CASE("attention: more queries than keys where positions count") {
    const std::string rest =
        " for 4 keys; causal attention and windows put the last query at the last key, so that "
        "queries before the first key would have no position. Give at most as many queries as "
        "keys: mask the queries too, as q.with_mask(k.mask()), or hide pairs by a bias";
    for (const AttentionOptions& options :
         {AttentionOptions{.causal = true}, AttentionOptions{.window = 3}}) {
      CHECK(throws<ShapeError>([&] { attention(k, q, q, options); },
                               "attention: there are 5 queries" + rest));
      const Tensor masked =
          q.with_mask(Mask::keep({{true, true, true, true}, {true, true, true, true}}));
      CHECK(throws<ShapeError>([&] { attention_scores(k, masked, options); },
                               "attention_scores: sequence 0 has 5 queries" + rest));
    }
    CHECK(throws<ShapeError>(
        [&] {
          additive_attention(made({1, 5, 3}), made({1, 4, 3}), made({1, 4, 3}), made({3}),
                             {.causal = true});
        },
        "additive_attention: there are 5 queries" + rest));
    const Mask none = Mask::keep({{false, false, false, false}, {false, false, false, false}});
    for (const double v :
         attention(k, q.with_mask(none), q, {.causal = true}).to_vector<double>()) {
      CHECK(v == 0);  // a query without keys
    }
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
          attention(q, k, v, {.bias = fully_masked(made({4, 5}))});
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
      return fully_masked(x).describe() +
             " has a mask over heads; a step is there or not as a whole. Mask [batch, time], or "
             "fill single values with x.drop_mask(\"why\")";
    };
    CHECK(throws<MaskError>([&] { attention(fully_masked(q), k, v); },
                            "attention: " + over_heads(q)));
    CHECK(throws<MaskError>([&] { attention(q, fully_masked(k), v); },
                            "attention: " + over_heads(k)));
    CHECK(throws<MaskError>([&] { attention(q, k, fully_masked(v)); },
                            "attention: " + over_heads(v)));
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
    CHECK(throws<MaskError>([&] { additive_attention(a, b, c, fully_masked(w)); },
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
    CHECK(throws<MaskError>(
        [&] { additive_attention(fully_masked(a), b, c, w); },
        "additive_attention: " + fully_masked(a).describe() + " has a mask over"));
  }
}

}  // namespace maskgrad::tests::test_attention_messages
