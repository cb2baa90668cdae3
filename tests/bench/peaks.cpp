#include "bench/peaks.hpp"

#include <algorithm>
#include <chrono>
#include <map>

#include <maskgrad/maskgrad.hpp>

namespace maskgrad::bench {
namespace {

/// The best of some runs of f, in units of `work` a second.
template <class F>
double best_rate(int threads, double work, F&& f) {
  set_num_threads(threads);
  double best = 0;
  for (int i = 0; i < 6; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    best = std::max(best, work / took.count());
  }
  return best;
}

}  // namespace

double sgemm_peak(int threads) {
  static std::map<int, double> known;
  if (known.contains(threads)) return known[threads];
  constexpr std::int64_t n = 2048;
  const Tensor a = random_normal({n, n}, Seed{1}), b = random_normal({n, n}, Seed{2});
  return known[threads] = best_rate(threads, 2e-9 * n * n * n, [&] { matmul(a, b); });
}

double memory_peak(int threads) {
  static std::map<int, double> known;
  if (known.contains(threads)) return known[threads];
  constexpr std::int64_t n = 32 << 20, parts = 64;
  std::vector<float> a(n), b(n, 1), c(n, 2);
  const auto triad = [&] {
    extend::parallel_for(parts, [&](std::int64_t part) {
      for (auto i = part * (n / parts); i < (part + 1) * (n / parts); ++i) a[i] = b[i] + 3 * c[i];
    });
  };
  return known[threads] = best_rate(threads, 3e-9 * n * sizeof(float), triad);
}

}  // namespace maskgrad::bench
