#include <maskgrad/core/kernels/simd/arrays.hpp>
#include <maskgrad/core/kernels/simd/level.hpp>
#include <maskgrad/core/kernels/simd/normals.hpp>
#include <maskgrad/core/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <string>
#include <type_traits>
#include <vector>

namespace maskgrad::tests::test_simd {

namespace {

using namespace maskgrad::kernels;

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

template <class T>
bool same_bits(T a, T b) {
  return std::bit_cast<Bits<T>>(a) == std::bit_cast<Bits<T>>(b);
}

template <class T>
struct Function {
  const char* name;
  void (*array)(const T*, T*, std::int64_t);
  long double (*exact)(long double);
  double more = 0;    ///< ulp that it may be further off than the others
  bool tail = false;  ///< of a normal number: off by x^2 ulp of its parts too
};

long double density(long double x) {
  return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi_v<long double>);
}
long double below(long double x) {
  return std::erfc(-x / std::numbers::sqrt2_v<long double>) / 2;
}

template <class T>
std::vector<Function<T>> functions() {
  return {{"exp", &simd::exp, [](long double x) { return std::exp(x); }},
          {"tanh", &simd::tanh, [](long double x) { return std::tanh(x); }},
          {"sigmoid", &simd::sigmoid,
           [](long double x) {
             return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
           }},
          {"expm1", &simd::expm1, [](long double x) { return std::expm1(x); }},
          {"softplus", &simd::softplus,
           [](long double x) { return (x < 0 ? 0 : x) + std::log1p(std::exp(-std::fabs(x))); }, 1},
          {"log_cosh", &simd::log_cosh,
           [](long double x) {
             const long double a = std::fabs(x), m = std::expm1(-a);
             return a < 1 ? std::log1p(m * m / (2 * (1 + m)))
                          : a + std::log1p(std::exp(-2 * a)) - std::numbers::ln2_v<long double>;
           },
           4},
          {"log", &simd::log, [](long double x) { return std::log(x); }},
          {"gelu", &simd::gelu, [](long double x) { return x * below(x); }, 2, true},
          {"gelu_slope", &simd::gelu_slope, [](long double x) { return below(x) + x * density(x); },
           3, true}};
}

/// Numbers from every binade of either sign, subnormal ones too, evenly within each; and as many
/// again from where the functions are neither constant nor linear.
template <class T>
std::vector<T> strata(int each) {
  std::vector<T> x;
  const int mantissa = std::numeric_limits<T>::digits - 1;
  const Bits<T> binades = (Bits<T>{1} << (8 * sizeof(T) - 1 - mantissa)) - 1;
  const Bits<T> sign = Bits<T>{1} << (8 * sizeof(T) - 1);
  for (Bits<T> binade = 0; binade < binades; ++binade) {
    for (int i = 0; i < each; ++i) {
      const Bits<T> part = (Bits<T>{1} << mantissa) / static_cast<Bits<T>>(each);
      const Bits<T> bits = (binade << mantissa) + part * static_cast<Bits<T>>(i) + i % 7;
      x.push_back(std::bit_cast<T>(bits));
      x.push_back(std::bit_cast<T>(bits | sign));
    }
  }
  const double most = sizeof(T) == 4 ? 110 : 760;
  for (int i = -300000; i <= 300000; ++i) {
    x.push_back(static_cast<T>(i / 300000.0 * most));
    x.push_back(static_cast<T>(i / 300000.0 * 4));
  }
  return x;
}

/// Distance to the exact result, in units in the last place of that.
template <class T>
double ulps(T got, long double exact) {
  const T rounded = static_cast<T>(exact);
  if (std::isinf(rounded) || std::isinf(got)) return got == rounded ? 0 : 1e9;
  const T size = std::fabs(rounded);
  const T up = std::nextafter(size, std::numeric_limits<T>::infinity());
  const long double unit = std::isinf(up) ? size - std::nextafter(size, T{0}) : up - size;
  return static_cast<double>(std::fabs((static_cast<long double>(got) - exact) / unit));
}

/// The same less x^2 of the larger of the parts that gelu and its slope are made of.
template <class T>
double tail_ulps(T got, long double exact, T x) {
  const long double part = std::max(std::fabs(exact), std::fabs(x) * density(x));
  const long double unit = std::max<long double>(part * std::numeric_limits<T>::epsilon(),
                                                 std::numeric_limits<T>::denorm_min());
  const long double most = std::min<long double>(x * static_cast<long double>(x), 1600);
  return static_cast<double>(std::fabs(got - exact) / unit - most);
}

template <class T>
void check_accuracy(int each, double bound) {
  const std::vector<T> x = strata<T>(each);
  std::vector<T> y(x.size());
  for (const auto& f : functions<T>()) {
    f.array(x.data(), y.data(), static_cast<std::int64_t>(x.size()));
    double most = 0;
    std::size_t at = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const long double exact = f.exact(x[i]);
      if (std::isnan(exact)) {
        CHECK(std::isnan(y[i]));
        continue;
      }
      const double error = f.tail ? tail_ulps(y[i], exact, x[i]) : ulps(y[i], exact);
      if (!(error <= most)) most = error, at = i;
    }
    INFO(simd::level_name(simd::level()), " ", f.name, " at ", x[at], " gives ", y[at]);
    CHECK(most <= bound + f.more);
  }
}

template <class T>
void check_special() {
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const std::vector<T> x{inf, -inf, nan, -nan, T{0}, T(-0.0)};
  std::vector<T> y(x.size());
  const auto n = static_cast<std::int64_t>(x.size());
  simd::exp(x.data(), y.data(), n);
  CHECK(y[0] == inf);
  CHECK(y[1] == 0);
  CHECK(y[4] == 1);
  CHECK((std::isnan(y[2]) && std::isnan(y[3])));
  simd::tanh(x.data(), y.data(), n);
  CHECK(y[0] == 1);
  CHECK(y[1] == -1);
  CHECK(same_bits(y[4], T{0}));
  CHECK(same_bits(y[5], T(-0.0)));
  CHECK((std::isnan(y[2]) && std::isnan(y[3])));
  simd::expm1(x.data(), y.data(), n);
  CHECK(y[0] == inf);
  CHECK(y[1] == -1);
  CHECK(y[4] == 0);
  CHECK((std::isnan(y[2]) && std::isnan(y[3])));
  simd::softplus(x.data(), y.data(), n);
  CHECK(y[0] == inf);
  CHECK(y[1] == 0);
  CHECK((std::isnan(y[2]) && std::isnan(y[3])));
  simd::log_cosh(x.data(), y.data(), n);
  CHECK((y[0] == inf && y[1] == inf));
  CHECK((y[4] == 0 && y[5] == 0));
  CHECK((std::isnan(y[2]) && std::isnan(y[3])));
  simd::log(x.data(), y.data(), n);
  CHECK(y[0] == inf);
  CHECK((std::isnan(y[1]) && std::isnan(y[2]) && std::isnan(y[3])));
  CHECK((y[4] == -inf && y[5] == -inf));
  simd::gelu(x.data(), y.data(), n);
  CHECK(y[0] == inf);
  CHECK((y[4] == 0 && y[5] == 0));
  CHECK((std::isnan(y[1]) && std::isnan(y[2]) && std::isnan(y[3])));
  simd::gelu_slope(x.data(), y.data(), n);
  CHECK(y[0] == 1);
  CHECK(y[1] == 0);
  CHECK(y[4] == doctest::Approx(0.5));
  CHECK((std::isnan(y[2]) && std::isnan(y[3])));
  simd::sigmoid(x.data(), y.data(), n);
  CHECK(y[0] == 1);
  CHECK(y[1] == 0);
  CHECK(y[4] == T(0.5));
  CHECK((std::isnan(y[2]) && std::isnan(y[3])));
}

template <class T>
void check_places() {
  std::vector<T> x;
  for (int i = 0; i < 70; ++i) x.push_back(static_cast<T>(std::sin(i * 0.7) * 3));
  for (const auto& f : functions<T>()) {
    std::vector<T> all(x.size());
    f.array(x.data(), all.data(), 70);
    for (std::int64_t begin : {0, 1, 3, 9}) {
      for (std::int64_t n = 0; n <= 40; ++n) {
        std::vector<T> part(static_cast<std::size_t>(n) + 1, T{7});
        f.array(x.data() + begin, part.data(), n);
        bool same = true;
        for (std::int64_t i = 0; i < n; ++i) same = same && same_bits(part[i], all[begin + i]);
        INFO(f.name, " of ", n, " from ", begin);
        CHECK(same);
        CHECK(part[static_cast<std::size_t>(n)] == 7);
      }
    }
    std::vector<T> in_place = x;
    f.array(in_place.data(), in_place.data(), 70);
    CHECK(std::equal(in_place.begin(), in_place.end(), all.begin(), same_bits<T>));
  }
}

}  // namespace

TEST_CASE("functions of arrays are right to 2 ulp in f32 and 4 in f64") {
  check_accuracy<float>(3000, 2);
  check_accuracy<double>(200, 4);
}

TEST_CASE("functions of arrays of infinities, NaN and zeros") {
  check_special<float>();
  check_special<double>();
}

TEST_CASE("a value's function does not depend on its place in the array") {
  check_places<float>();
  check_places<double>();
}

TEST_CASE("normal numbers of random words: the transform of Box and Muller, for any count") {
  std::vector<std::uint32_t> words{0, 0, 0xFFFFFFFF, 0x40000000, 1, 0x80000000, 7, 0xFFFFFFFF};
  for (std::uint32_t i = 0; i < 250; ++i) {
    const auto four = maskgrad::random::philox({i, 0, 0, 0}, {3});
    words.insert(words.end(), four.begin(), four.end());
  }
  const auto pairs = static_cast<std::int64_t>(words.size() / 2);
  std::vector<double> all(words.size());
  simd::normals(words.data(), pairs, all.data());
  double most = 0;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    const long double radius = std::sqrt(-2 * std::log1p(-words[i] * 0x1p-32L));
    const long double angle = 2 * std::numbers::pi_v<long double> * (words[i + 1] * 0x1p-32L);
    most = std::max({most, static_cast<double>(std::fabs(all[i] - radius * std::cos(angle))),
                     static_cast<double>(std::fabs(all[i + 1] - radius * std::sin(angle)))});
  }
  CHECK(most < 4e-15);
  for (std::int64_t n : {1, 2, 3, 7, 8, 9, 30}) {
    std::vector<double> part(static_cast<std::size_t>(2 * n) + 1, 7);
    simd::normals(words.data(), n, part.data());
    CHECK(std::equal(part.begin(), part.end() - 1, all.begin()));
    CHECK(part.back() == 7);
  }
}

}  // namespace maskgrad::tests::test_simd
