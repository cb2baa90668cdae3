#include <doctest/doctest.h>

#include <cmath>

#include <maskgrad/autograd/ops/attention/additive_attention.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/core/random.hpp>
#include <maskgrad/core/threads.hpp>

namespace maskgrad::tests::test_additive_attention {
namespace {

Tensor some(const Shape& shape, std::uint64_t seed) {
  return random_normal(shape, {seed}, DType::f64);
}

/// The formula, one value at a time.
double naive(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& w,
             const Mask& of_keys, bool causal, std::int64_t b, std::int64_t i, std::int64_t c) {
  double sum = 0, value = 0;
  for (std::int64_t j = 0; j < k.size(1); ++j) {
    if (!of_keys.at({b, j}) || (causal && j > i + k.size(1) - q.size(1))) continue;
    double score = 0;
    for (std::int64_t d = 0; d < q.size(2); ++d) {
      score += w.item({d}) * std::tanh(q.item({b, i, d}) + k.item({b, j, d}));
    }
    sum += std::exp(score);
    value += std::exp(score) * v.item({b, j, c});
  }
  return sum > 0 ? value / sum : 0;
}

TEST_CASE("additive attention equals its formula: masks, holes, no keys, causal") {
  const Tensor q = some({3, 4, 3}, 1), k = some({3, 5, 3}, 2), v = some({3, 5, 2}, 3);
  const Tensor w = some({3}, 4);
  const Mask keys = Mask::keep({{false, true, false, true, true},
                                {false, false, false, false, false},
                                {true, true, true, true, true}});
  const Mask all = Mask::from_lengths({5, 5, 5});
  for (const bool causal : {false, true}) {
    const Mask& there = causal ? all : keys;
    const Tensor y = additive_attention(q, k.with_mask(there), v, w, {.causal = causal});
    CHECK_FALSE(y.has_mask());
    for (std::int64_t b = 0; b < 3; ++b) {
      for (std::int64_t i = 0; i < 4; ++i) {
        CHECK(y.item({b, i, 1}) ==
              doctest::Approx(naive(q, k, v, w, there, causal, b, i, 1)).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("additive attention of no keys, no queries and no sequences") {
  const Tensor w = some({3}, 4);
  const auto shape = [&](std::int64_t batch, std::int64_t queries, std::int64_t keys) {
    return additive_attention(some({batch, queries, 3}, 1), some({batch, keys, 3}, 2),
                              some({batch, keys, 2}, 3), w);
  };
  CHECK(shape(2, 4, 0).to_vector<double>() == std::vector<double>(16, 0));
  CHECK(shape(2, 0, 4).shape() == Shape{2, 0, 2});
  CHECK(shape(0, 3, 4).shape() == Shape{0, 3, 2});
}

TEST_CASE("additive attention gives the same bits on any number of threads") {
  const auto run = [] {
    const Tensor q = some({9, 40, 8}, 1).with_grad(), w = some({8}, 2).with_grad();
    const Tensor y = additive_attention(q, q, q, w);
    sum(y).backward();
    auto all = y.to_vector<double>();
    for (const auto& x : {q, w}) {
      const auto g = x.grad().to_vector<double>();
      all.insert(all.end(), g.begin(), g.end());
    }
    return all;
  };
  const int before = num_threads();
  set_num_threads(1);
  const auto one = run();
  set_num_threads(4);
  CHECK(run() == one);
  set_num_threads(before);
}

}  // namespace
}  // namespace maskgrad::tests::test_additive_attention
