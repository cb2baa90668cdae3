#include <algorithm>
#include <cmath>
#include <vector>

#include <maskgrad/autograd/ops/loss/crf.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>

#include "counted.hpp"

namespace maskgrad::tests::test_crf_values {
namespace {

constexpr std::int64_t steps = 4, tags = 3;

/// The negative log likelihood of `path` by all tags^steps paths, each with its score.
double by_paths(const std::vector<double>& x, const std::vector<double>& w,
                const std::vector<std::int64_t>& path) {
  long double total = 0;
  const auto score = [&](const std::vector<std::int64_t>& p) {
    long double s = x[static_cast<std::size_t>(p[0])];
    for (std::size_t t = 1; t < p.size(); ++t) {
      s += x[t * tags + static_cast<std::size_t>(p[t])] +
           w[static_cast<std::size_t>(p[t - 1] * tags + p[t])];
    }
    return s;
  };
  std::vector<long double> all;
  for (int n = 0; n < 81; ++n) all.push_back(score({n / 27, n / 9 % 3, n / 3 % 3, n % 3}));
  const long double top = *std::max_element(all.begin(), all.end());
  for (const auto s : all) total += std::exp(s - top);
  return static_cast<double>(std::log(total) + top - score(path));
}

}  // namespace

TEST_SUITE("crf") {
  TEST_CASE("scores that no single exponential can hold") {
    const std::vector<double> x{0.3, -2, 700, 1, 0.5, -800, 0.1, 0.2, -0.4, 900, -1, 2};
    const std::vector<std::int64_t> path{2, 0, 1, 0};
    // Usual ones; forbidden ones; one that outweighs all others but fits no good path.
    const std::vector<std::vector<double>> all{
        {0.1, 0.2, -0.3, 1, -1, 0.5, 0.7, 0, -0.2},
        {0.1, -1e4, -1e4, -1e4, 0.5, 0.3, 0.2, -1e4, 1},
        {-1500, -900, 1200, 3, 2, -2500, -1e4, 800, 0},
    };
    for (const auto& w : all) {
      const Tensor potentials = tensor(x, {1, steps, tags}).with_grad();
      const Tensor transitions = tensor(w, {tags, tags}).with_grad();
      const Tensor loss =
          crf_negative_log_likelihood(tensor(path, {1, steps}), potentials, transitions);
      const double expected = by_paths(x, w, path);
      CHECK(loss.to_vector<double>()[0] == doctest::Approx(expected).epsilon(1e-12));
      sum(loss).backward();
      // By differences of the value over all paths, each of a potential and of a transition.
      const auto check_by_differences = [&](const Tensor& gradient, bool of_x) {
        const auto g = gradient.to_vector<double>();
        for (std::size_t i = 0; i < g.size(); ++i) {
          auto low_x = x, high_x = x, low_w = w, high_w = w;
          (of_x ? low_x : low_w)[i] -= 1e-4;
          (of_x ? high_x : high_w)[i] += 1e-4;
          const double slope =
              (by_paths(high_x, high_w, path) - by_paths(low_x, low_w, path)) / 2e-4;
          CHECK(std::fabs(g[i] - slope) < 1e-6);
        }
      };
      check_by_differences(potentials.grad(), true);
      check_by_differences(transitions.grad(), false);
    }
  }
}

}  // namespace maskgrad::tests::test_crf_values
