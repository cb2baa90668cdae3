#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <maskgrad/autograd/ops/attention/additive_attention.hpp>
#include <maskgrad/autograd/ops/attention/attention.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/linear/einsum.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/core/random.hpp>
#include <maskgrad/core/threads.hpp>

namespace maskgrad::tests::test_attention {
namespace {

constexpr std::int64_t batch = 3, queries = 4, keys = 5, dim = 3, width = 2;

Tensor some(const Shape& shape, std::uint64_t seed) {
  return random_normal(shape, {seed}, DType::f64);
}

struct Pairs {
  bool causal = false;
  double bias = 0;  // times (query - key)
};

std::int64_t queries_of(const Mask& mask, std::int64_t b) {
  return mask ? mask.lengths()[static_cast<std::size_t>(b)] : queries;
}

/// The formula, one value at a time; `there(b, t)` says which queries and keys are valid.
double naive(const Tensor& q, const Tensor& k, const Tensor& v, const Mask& of_queries,
             const Mask& of_keys, Pairs pairs, std::int64_t b, std::int64_t i, std::int64_t h,
             std::int64_t c) {
  const auto group = h / (q.size(2) / k.size(2));
  const auto last = i + keys - queries_of(of_queries, b);  // with the last query at the last key
  double top = -std::numeric_limits<double>::infinity(), sum = 0, value = 0;
  std::vector<double> scores(keys, top);
  for (std::int64_t j = 0; j < keys; ++j) {
    if ((of_keys && !of_keys.at({b, j})) || (pairs.causal && j > last)) continue;
    double s = 0;
    for (std::int64_t d = 0; d < dim; ++d) s += q.item({b, i, h, d}) * k.item({b, j, group, d});
    scores[static_cast<std::size_t>(j)] =
        s / std::sqrt(static_cast<double>(dim)) + pairs.bias * static_cast<double>(i - j);
    top = std::max(top, scores[static_cast<std::size_t>(j)]);
  }
  for (std::int64_t j = 0; j < keys; ++j) {
    const double w = std::exp(scores[static_cast<std::size_t>(j)] - top);
    if (!(w > 0)) continue;
    sum += w;
    value += w * v.item({b, j, group, c});
  }
  return sum > 0 ? value / sum : 0;
}

void check_against_naive(std::int64_t heads, std::int64_t kv_heads, const Mask& of_queries,
                         const Mask& of_keys, Pairs pairs) {
  const Tensor q = some({batch, queries, heads, dim}, 1), k = some({batch, keys, kv_heads, dim}, 2);
  const Tensor v = some({batch, keys, kv_heads, width}, 3);
  std::vector<double> bias;
  for (std::int64_t i = 0; i < queries; ++i) {
    for (std::int64_t j = 0; j < keys; ++j) bias.push_back(pairs.bias * static_cast<double>(i - j));
  }
  const Tensor y =
      attention(of_queries ? q.with_mask(of_queries) : q, of_keys ? k.with_mask(of_keys) : k, v,
                {.causal = pairs.causal, .bias = tensor(bias, {queries, keys})});
  CHECK(y.mask() == of_queries);
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t i = 0; i < queries; ++i) {
      if (of_queries && !of_queries.at({b, i})) continue;
      for (std::int64_t h = 0; h < heads; ++h) {
        for (std::int64_t c = 0; c < width; ++c) {
          CHECK(y.item({b, i, h, c}) ==
                doctest::Approx(naive(q, k, v, of_queries, of_keys, pairs, b, i, h, c))
                    .epsilon(1e-12));
        }
      }
    }
  }
}

TEST_CASE("attention equals its formula: masks, causal, bias, grouped heads") {
  const Mask holes = Mask::keep({{true, false, true, true, false},
                                 {false, false, false, false, false},
                                 {true, true, true, true, true}});
  const Mask some_queries = Mask::from_lengths({4, 2, 0}, queries);
  check_against_naive(2, 2, {}, {}, {});
  check_against_naive(2, 2, some_queries, holes, {});
  check_against_naive(4, 2, {}, {}, {.causal = true});
  check_against_naive(2, 1, some_queries, {}, {.causal = true, .bias = 0.7});
}

TEST_CASE("a query without keys gets zeros, and they send no gradient") {
  const Tensor q = some({1, 2, 1, dim}, 1).with_grad();
  const Tensor k = some({1, 3, 1, dim}, 2).with_mask(Mask::from_lengths({0}, 3));
  const Tensor y = attention(q, k, some({1, 3, 1, width}, 3));
  CHECK(y.to_vector<double>() == std::vector<double>(4, 0.0));
  sum(y).backward();
  CHECK(q.grad().to_vector<double>() == std::vector<double>(6, 0.0));
}

TEST_CASE("keys that a bias hides are as none, in the result and in the scores") {
  constexpr double hide = -std::numeric_limits<double>::infinity();
  const Tensor q = some({1, 2, 1, dim}, 1).with_grad(), k = some({1, 2, 1, dim}, 2);
  const AttentionOptions options{.bias = tensor({hide, hide, 0., hide}, {2, 2})};
  const Tensor y = attention(q, k, k, options), w = attention_scores(q, k, options);
  CHECK(w.to_vector<double>() == std::vector<double>{0, 0, 1, 0});
  for (std::int64_t d = 0; d < dim; ++d) {
    CHECK(y.item({0, 0, 0, d}) == 0);
    CHECK(y.item({0, 1, 0, d}) == k.item({0, 0, 0, d}));
  }
  (sum(y) + sum(w)).backward();
  for (const double g : q.grad().to_vector<double>()) CHECK(g == 0);
}

TEST_CASE("a window counts valid keys: a hole is no gap") {
  const Tensor x = some({1, 5, 1, dim}, 1), short_x = some({1, 3, 1, dim}, 2);
  const Mask holes = Mask::keep({{true, false, true, false, true}});
  const auto scores = [](const Tensor& t, bool causal) {
    return attention_scores(t, t, {.causal = causal, .window = 1}).mask().to_vector();
  };
  CHECK(scores(short_x, false) ==
        std::vector<bool>{true, true, false, true, true, true, false, true, true});
  const auto wide = scores(x.with_mask(holes), true);
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::size_t j = 0; j < 5; ++j) {
      const bool both = i % 2 == 0 && j % 2 == 0;
      CHECK(wide[i * 5 + j] == (both && (j == i || j + 2 == i)));
    }
  }
}

TEST_CASE("causal: the last query stands at the last key, by valid counts of each sequence") {
  const Tensor q = some({3, 2, 1, dim}, 1), k = some({3, 4, 1, dim}, 2),
               one = some({1, 1, 1, dim}, 3);
  const auto seen = [](const Tensor& a, const Tensor& b, AttentionOptions options) {
    return attention_scores(a, b, options).mask().to_vector();
  };
  CHECK(seen(one, some({1, 4, 1, dim}, 4), {.causal = true}) == std::vector<bool>(4, true));
  CHECK(seen(one, some({1, 4, 1, dim}, 4), {.causal = true, .window = 1}) ==
        std::vector<bool>{false, false, true, true});
  CHECK(seen(one, some({1, 4, 1, dim}, 4), {.window = 2}) ==
        std::vector<bool>{false, true, true, true});
  const Mask of_q = Mask::keep({{true, true}, {false, true}, {false, false}});
  const Mask of_k =
      Mask::keep({{true, false, true, true}, {true, true, false, false}, {true, true, true, true}});
  const std::vector<bool> expected{true,  false, true,  false, true,  false, true,  true,  //
                                   false, false, false, false, true,  true,  false, false,
                                   false, false, false, false, false, false, false, false};
  CHECK(seen(q.with_mask(of_q), k.with_mask(of_k), {.causal = true}) == expected);
  const Tensor aq = squeeze(q, 2), ak = squeeze(k, 2), w = some({dim}, 5);
  CHECK(additive_attention_scores(aq.with_mask(of_q), ak.with_mask(of_k), w, {.causal = true})
            .mask()
            .to_vector() == expected);
  // Step by step with all keys before them: the same as at once.
  const Tensor x = some({2, 5, 2, dim}, 6), all = attention(x, x, x, {.causal = true});
  for (std::int64_t t = 0; t < 5; ++t) {
    const Tensor now = slice(x, 1, t, t + 1), upto = slice(x, 1, 0, t + 1);
    const Tensor y = attention(now, upto, upto, {.causal = true});
    CHECK(max(abs(y - slice(all, 1, t, t + 1))).item() < 1e-14);
    const Tensor a = select(now, 2, 0), b = select(upto, 2, 0), z = select(x, 2, 0);
    const Tensor added = additive_attention(a, b, b, w, {.causal = true});
    const Tensor whole = slice(additive_attention(z, z, z, w, {.causal = true}), 1, t, t + 1);
    CHECK(max(abs(added - whole)).item() < 1e-14);
  }
}

TEST_CASE("long sequences: blocks give the weights' product, for any number of threads") {
  const Shape shape{2, 300, 2, 16};
  const Mask mask = Mask::from_lengths({300, 170});
  const Tensor q = some(shape, 1).with_mask(mask), k = some(shape, 2).with_mask(mask);
  const Tensor v = some(shape, 3).with_mask(mask);
  const Tensor y = attention(q, k, v, {.causal = true});
  const Tensor w = attention_scores(q, k, {.causal = true}).drop_mask("no pair, no weight");
  const Tensor expected = einsum("bqkh,bkhd->bqhd", {w, v.drop_mask("their weights are 0")});
  CHECK(max(abs(y - expected)).item() < 1e-12);
  const int before = num_threads();
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    CHECK(attention(q, k, v, {.causal = true}).to_vector<double>() == y.to_vector<double>());
  }
  set_num_threads(before);
}

}  // namespace
}  // namespace maskgrad::tests::test_attention
