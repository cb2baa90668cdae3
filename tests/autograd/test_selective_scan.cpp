#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/gradients.hpp>
#include <maskgrad/autograd/ops.hpp>

namespace maskgrad::tests::test_selective_scan {
namespace {

using Many = std::vector<Tensor>;

/// x, delta, a, b, c and the initial state.
Many some_inputs(std::int64_t batch, std::int64_t time, std::int64_t inner, std::int64_t state,
                 const Mask& mask, DType dtype) {
  Many all{random_normal({batch, time, inner}, Seed{1}, dtype),
           random_uniform({batch, time, inner}, Seed{2}, 0.1, 1, dtype),
           random_uniform({state, inner}, Seed{3}, -2, -0.2, dtype),
           random_normal({batch, time, state}, Seed{4}, dtype),
           random_normal({batch, time, state}, Seed{5}, dtype),
           random_normal({batch, state, inner}, Seed{6}, dtype)};
  for (const std::size_t i : {0, 1, 3, 4}) all[i] = all[i].with_mask(mask);
  for (auto& t : all) t = t.with_grad();
  return all;
}

Mask some_mask(std::int64_t batch, std::int64_t time) {
  return Mask::keep(greater(random_uniform({batch, time}, Seed{7}), 0.3));
}

Many scanned(const Many& in, bool backwards) {
  const auto [y, state] =
      selective_scan(in[0], in[1], in[2], in[3], in[4], {.initial = in[5], .backwards = backwards});
  return {y, state};
}

/// The same with the states of all steps.
Many by_states(const Many& in, bool backwards) {
  const Tensor delta = expand_dims(in[1], 2);
  const auto [h, last] = linear_recurrence_with_state(
      exp(delta * in[2]), delta * expand_dims(in[0], 2) * expand_dims(in[3], 3),
      {.initial = in[5], .backwards = backwards});
  return {sum(h * expand_dims(in[4], 3), {2}), last};
}

/// Results, and the gradients of a sum of them.
Many with_gradients(const Many& results, const Many& in) {
  Tensor total = zeros({}, in[0].dtype());
  for (const auto& y : results) total = total + sum(y * sin(y));
  Many all = gradients(total, in);
  all.insert(all.begin(), results.begin(), results.end());
  return all;
}

}  // namespace

TEST_SUITE("selective scan") {
  TEST_CASE("over many chunks and blocks it is a linear recurrence of all states") {
    for (const bool backwards : {false, true}) {
      const Many in = some_inputs(3, 60, 70, 5, some_mask(3, 60), DType::f64);
      const Many found = with_gradients(scanned(in, backwards), in);
      const Many expected = with_gradients(by_states(in, backwards), in);
      REQUIRE(found.size() == expected.size());
      for (std::size_t i = 0; i < found.size(); ++i) {
        CAPTURE(i);
        const auto a = found[i].to_vector<double>(0), b = expected[i].to_vector<double>(0);
        REQUIRE(a.size() == b.size());
        double worst = 0;
        for (std::size_t j = 0; j < a.size(); ++j) {
          worst = std::max(worst, std::abs(a[j] - b[j]) / std::max(1.0, std::abs(b[j])));
        }
        CHECK(worst <= 1e-11);
      }
    }
  }

  TEST_CASE("the same bits on any number of threads") {
    const int before = num_threads();
    for (const auto& [batch, time, inner] :
         {std::tuple{40, 30, 33}, std::tuple{1, 400, 130}, std::tuple{2, 100, 64}}) {
      std::vector<float> first;
      for (const int threads : {1, 2, 3, 4}) {
        set_num_threads(threads);
        const Many in = some_inputs(batch, time, inner, 4, some_mask(batch, time), DType::f32);
        std::vector<float> all;
        for (const auto& t : with_gradients(scanned(in, false), in)) {
          const auto values = t.to_vector<float>(0);
          all.insert(all.end(), values.begin(), values.end());
        }
        if (first.empty()) first = all;
        CHECK(all == first);
      }
    }
    set_num_threads(before);
  }

  TEST_CASE("a decay of 0 forgets infinity and NaN") {
    for (const double odd : {std::numeric_limits<double>::infinity(), std::nan("")}) {
      const Tensor x = tensor<double>({1, odd, 2, 3}, {1, 4, 1}).with_grad();
      const Tensor delta = tensor<double>({1, 1, 1e4, 1}, {1, 4, 1});
      const Tensor a = full({1, 1}, -1.0, DType::f64).with_grad(),
                   one = ones({1, 4, 1}, DType::f64);
      const Tensor y = slice(selective_scan(x, delta, a, one, one).output, 1, 2);
      const auto values = y.to_vector<double>();
      CHECK(values[0] == 2e4);
      CHECK(std::isfinite(values[1]));
      const auto g = gradients(sum(y), {x, a});
      CHECK(g[0].to_vector<double>()[0] == 0);
      CHECK(g[0].to_vector<double>()[1] == 0);
      CHECK(std::isfinite(g[1].to_vector<double>()[0]));
    }
  }
}

}  // namespace maskgrad::tests::test_selective_scan
