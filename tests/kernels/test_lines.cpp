#include <maskgrad/core/kernels/simd/lines.hpp>
#include <maskgrad/core/kernels/simd/philox.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace maskgrad::tests::test_lines {

namespace {

using namespace maskgrad;
using kernels::simd::lines;

/// Lengths around whole vectors of every level.
constexpr std::int64_t lengths[] = {0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 70, 129};

template <class T>
std::vector<T> values(std::int64_t n, double phase) {
  std::vector<T> x;
  for (std::int64_t i = 0; i < n; ++i) {
    x.push_back(static_cast<T>(std::sin(phase + 0.7 * static_cast<double>(i)) * 3));
  }
  return x;
}

template <class T>
bool near(double a, double b) {
  return std::abs(a - b) <= (sizeof(T) == 4 ? 1e-5 : 1e-13) * (1 + std::abs(b));
}
template <class T, class U>
bool all_near(const std::vector<U>& a, const std::vector<U>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!near<T>(static_cast<double>(a[i]), static_cast<double>(b[i]))) return false;
  }
  return true;
}

/// A line times many rows, and a weighted sum of them; rows of weight 0 are not read.
template <class T>
void check_products(std::int64_t n, std::int64_t count) {
  const auto stride = n + 3;
  const auto a = values<T>(n, 1), rows = values<T>(stride * count, 2), w = values<T>(count, 3);
  std::vector<T> dots(w.size(), T(9)), read = rows, weights = w, sum = values<T>(n, 4);
  std::vector<double> dots_true, sum_true(sum.begin(), sum.end());
  for (std::int64_t r = 0; r < count; ++r) {
    if (r % 5 == 2) weights[static_cast<std::size_t>(r)] = 0;
    const double weight = weights[static_cast<std::size_t>(r)];
    double dot = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      auto& v = read[static_cast<std::size_t>(r * stride + i)];
      dot += static_cast<double>(a[static_cast<std::size_t>(i)]) * static_cast<double>(v);
      sum_true[static_cast<std::size_t>(i)] += weight * static_cast<double>(v);
      if (weight == 0) v = std::numeric_limits<T>::quiet_NaN();
    }
    dots_true.push_back(dot);
  }
  lines<T>().dots(a.data(), rows.data(), stride, count, n, dots.data());
  lines<T>().weighted_sum(weights.data(), read.data(), stride, count, n, sum.data());
  const auto close = [](const auto& x, const auto& y) {
    const double bound = sizeof(T) == 4 ? 1e-3 : 1e-11;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!(std::abs(static_cast<double>(x[i]) - y[i]) <= bound)) return false;
    }
    return true;
  };
  CHECK(close(dots, dots_true));
  CHECK(close(sum, sum_true));
  // A row's product is the same bits wherever the row stands among the others.
  for (std::int64_t r = 0; r < count; ++r) {
    T alone = 0;
    lines<T>().dots(a.data(), rows.data() + r * stride, stride, 1, n, &alone);
    CHECK(alone == dots[static_cast<std::size_t>(r)]);
  }
}

template <class T>
void check_sums(std::int64_t n) {
  const auto x = values<T>(n, 0);
  double sum = 0, squares = 0, exps = 0, greatest = -std::numeric_limits<double>::infinity();
  for (const T v : x) {
    const double d = static_cast<double>(v);
    sum += d;
    squares += (d - 0.5) * (d - 0.5);
    exps += std::exp(d - 2);
    greatest = std::max(greatest, d);
  }
  CHECK(near<double>(lines<T>().sum(x.data(), n), sum));
  CHECK(near<double>(lines<T>().squares(x.data(), T(0.5), n), squares));
  CHECK(near<T>(lines<T>().sum_exp(x.data(), T(2), n), exps));
  CHECK(static_cast<double>(lines<T>().greatest(x.data(), n)) == greatest);
  const std::vector<T> nothing(x.size(), -std::numeric_limits<T>::infinity());
  std::vector<T> none(x.size(), T(1));
  CHECK(lines<T>().sum_exp(nothing.data(), T(2), n) == 0);
  lines<T>().exp_scaled(nothing.data(), T(2), T(3), false, none.data(), n);
  CHECK(none == std::vector<T>(x.size(), T(0)));
  for (std::int64_t i = 0; i < n; ++i) {
    auto with_nan = x;
    with_nan[static_cast<std::size_t>(i)] = std::numeric_limits<T>::quiet_NaN();
    CHECK(std::isnan(lines<T>().greatest(with_nan.data(), n)));
    CHECK(std::isnan(lines<T>().sum_exp(with_nan.data(), T(2), n)));
  }
  const auto b = values<T>(n, 1);
  auto c = values<T>(n, 2), with_c = values<T>(n, 3), three = c, expected_3 = c;
  for (std::size_t i = 0; i < three.size(); ++i) {
    const auto e = [](T v) { return std::exp(static_cast<double>(v)); };
    if (i % 3 == 1) with_c[i] = -std::numeric_limits<T>::infinity();
    expected_3[i] = static_cast<T>(std::log(e(x[i]) + e(b[i]) + e(c[i]) * e(with_c[i])));
  }
  lines<T>().log_sum3(x.data(), b.data(), c.data(), with_c.data(), three.data(), n);
  CHECK(all_near<T>(three, expected_3));
  lines<T>().log_sum3(nothing.data(), nothing.data(), c.data(), nothing.data(), three.data(), n);
  CHECK(three == nothing);
  for (const bool add : {false, true}) {
    auto y = values<T>(n, 1), expected = y;
    for (std::size_t i = 0; i < x.size(); ++i) {
      expected[i] = (add ? expected[i] : T(0)) + 3 * std::exp(x[i] - 2);
    }
    lines<T>().exp_scaled(x.data(), T(2), T(3), add, y.data(), n);
    CHECK(all_near<T>(y, expected));
  }
}

template <class T>
void check_columns(std::int64_t n) {
  const auto x = values<T>(n, 0), dy = values<T>(n, 1), mean = values<T>(n, 2),
             scale = values<T>(n, 3);
  std::vector<double> sums(x.size(), 1), squares = sums, sum_dy = sums, sum_d_normal = sums;
  auto sums_2 = sums, squares_2 = sums, sum_dy_2 = sums, sum_d_normal_2 = sums;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double d = static_cast<double>(x[i]) - static_cast<double>(mean[i]);
    sums_2[i] += static_cast<double>(x[i]);
    squares_2[i] += d * d;
    sum_dy_2[i] += static_cast<double>(dy[i]);
    sum_d_normal_2[i] += static_cast<double>(dy[i]) * d * static_cast<double>(scale[i]);
  }
  lines<T>().add_sums(x.data(), sums.data(), n);
  lines<T>().add_squares(x.data(), mean.data(), squares.data(), n);
  lines<T>().add_products(x.data(), dy.data(), mean.data(), scale.data(), sum_dy.data(),
                          sum_d_normal.data(), n);
  CHECK(all_near<double>(sums, sums_2));
  CHECK(all_near<double>(squares, squares_2));
  CHECK(all_near<double>(sum_dy, sum_dy_2));
  CHECK(all_near<T>(sum_d_normal, sum_d_normal_2));
}

template <class T>
void check_normalize(std::int64_t n, bool with_gamma, bool with_beta) {
  const auto x = values<T>(n, 0), dy = values<T>(n, 1), g = values<T>(n, 2), b = values<T>(n, 3);
  const T *gamma = with_gamma ? g.data() : nullptr, *beta = with_beta ? b.data() : nullptr;
  const T mean = T(0.25), scale = T(1.5), mean_d = T(0.1), mean_normal = T(-0.2);
  std::vector<T> y(x.size()), dx = y, y_2 = y, dx_2 = y;
  std::vector<double> dgamma(x.size(), 1), dbeta = dgamma;
  auto dgamma_2 = dgamma, dbeta_2 = dgamma;
  double sum_d = 0, sum_d_normal = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const T normal = (x[i] - mean) * scale, d = dy[i] * (with_gamma ? g[i] : T(1));
    y_2[i] = normal * (with_gamma ? g[i] : T(1)) + (with_beta ? b[i] : T(0));
    dx_2[i] = scale * (d - mean_d - normal * mean_normal);
    dgamma_2[i] += static_cast<double>(dy[i]) * static_cast<double>(normal);
    dbeta_2[i] += static_cast<double>(dy[i]);
    sum_d += static_cast<double>(d);
    sum_d_normal += static_cast<double>(d) * static_cast<double>(normal);
  }
  const auto& simd = lines<T>();
  simd.normalize(x.data(), mean, scale, gamma, beta, y.data(), n);
  const auto sums =
      simd.normalize_sums(x.data(), mean, scale, gamma, dy.data(), dgamma.data(), dbeta.data(), n);
  simd.normalize_gradient(x.data(), mean, scale, gamma, dy.data(), mean_d, mean_normal, dx.data(),
                          n);
  CHECK(all_near<T>(y, y_2));
  CHECK(all_near<T>(dx, dx_2));
  CHECK(all_near<T>(dgamma, dgamma_2));
  CHECK(all_near<T>(dbeta, dbeta_2));
  CHECK(near<T>(sums.sum_d, sum_d));
  CHECK(near<T>(sums.sum_d_normal, sum_d_normal));
}

template <class T>
void check_all() {
  for (const auto n : lengths) {
    CAPTURE(n);
    check_sums<T>(n);
    check_columns<T>(n);
    for (const bool gamma : {false, true}) {
      for (const bool beta : {false, true}) check_normalize<T>(n, gamma, beta);
    }
  }
}

}  // namespace

TEST_CASE("lines of values are as in a plain loop") {
  check_all<float>();
  check_all<double>();
}

TEST_CASE("random words are the same side by side as one by one") {
  const Seed seed{0x123456789abcdef};
  for (const auto n : lengths) {
    std::vector<std::uint32_t> words(static_cast<std::size_t>(4 * n + 1), 7);
    kernels::simd::philox(0xfffffff0, {1, 2, 3}, seed, n, words.data());
    bool same = true;
    for (std::uint32_t i = 0; i < n; ++i) {
      const auto four = random::philox({0xfffffff0 + i, 1, 2, 3}, seed);
      for (std::size_t k = 0; k < 4; ++k) same = same && words[4 * i + k] == four[k];
    }
    CHECK(same);
    CHECK(words.back() == 7);
  }
}

TEST_CASE("a line times rows, and their weighted sum") {
  for (const auto n : lengths) {
    for (const std::int64_t count : {0, 1, 2, 7, 16, 19, 40}) {
      check_products<float>(n, count);
      check_products<double>(n, count);
    }
  }
}

}  // namespace maskgrad::tests::test_lines
