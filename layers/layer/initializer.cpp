#include <maskgrad/layers/layer/initializer.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string_view>
#include <vector>

#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/kernels/gemm.hpp>
#include <maskgrad/core/nearest.hpp>
#include <maskgrad/core/rows.hpp>

namespace maskgrad {
namespace {

constexpr std::array<std::string_view, 11> names = {
    "zeros",         "ones",         "glorot_uniform", "glorot_normal", "he_uniform", "he_normal",
    "lecun_uniform", "lecun_normal", "random_uniform", "random_normal", "orthogonal"};

/// Values that count towards one output, and towards one input.
std::pair<double, double> fans(const Shape& shape) {
  if (shape.rank() < 1) return {1, 1};
  if (shape.rank() == 1) return {shape[0], shape[0]};
  const double window = static_cast<double>(shape.count(0, shape.rank() - 2));
  return {window * static_cast<double>(shape[shape.rank() - 2]),
          window * static_cast<double>(shape.back())};
}

double normal_at(Seed seed, std::uint64_t i) {
  return random::normal(random::unit_at(seed, 2 * i), random::unit_at(seed, 2 * i + 1));
}

/// A normal value within two deviations: drawn again until it is.
double cut_normal_at(Seed seed, std::uint64_t i) {
  for (std::uint64_t again = 0;; ++again) {
    const double v = normal_at(seed.of(again), i);
    if (std::abs(v) <= 2) return v;
  }
}

/// v -= (v b^T) b, for n rows v and `count` orthonormal rows b.
void take_off(double* v, std::int64_t n, const double* b, std::int64_t count, std::int64_t length) {
  if (count == 0) return;
  auto dots = checked::vector<double>("Initializer", n * count);
  kernels::gemm<double>(n, count, length, {v, length}, {b, length, true}, dots.data(), false);
  for (double& d : dots) d = -d;
  kernels::gemm<double>(n, length, count, {dots.data(), count}, {b, length}, v, true);
}

void scale_to_one(double* v, std::int64_t length) {
  const double norm = std::sqrt(std::inner_product(v, v + length, v, 0.0));
  for (std::int64_t j = 0; j < length; ++j) v[j] /= norm;
}

/// Rows (or columns, where there are more rows) that are orthogonal and of length 1, from normal
/// values by Gram and Schmidt, twice for accuracy; a block of rows at a time, as products.
std::vector<double> orthogonal(const Shape& shape, Seed seed) {
  constexpr std::int64_t block = 16;
  const auto cols = shape.back();
  const auto rows = shape.count(0, shape.rank() - 1);
  const auto count = std::min(rows, cols), length = std::max(rows, cols);
  if (count == 0) return {};
  auto basis = checked::vector<double>("Initializer", count * length);
  for (std::size_t i = 0; i < basis.size(); ++i) basis[i] = normal_at(seed, i);
  for (std::int64_t at = 0; at < count; at += block) {
    double* v = basis.data() + at * length;
    const auto n = std::min(block, count - at);
    for (int pass = 0; pass < 2; ++pass) {
      take_off(v, n, basis.data(), at, length);
      for (std::int64_t i = 0; i < n; ++i) {
        take_off(v + i * length, 1, v, i, length);
        scale_to_one(v + i * length, length);
      }
    }
  }
  if (rows <= cols) return basis;
  auto values = checked::vector<double>("Initializer", shape.count());
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < cols; ++c) {
      values[static_cast<std::size_t>(r * cols + c)] =
          basis[static_cast<std::size_t>(c * rows + r)];
    }
  }
  return values;
}

}  // namespace

Initializer::Initializer(std::string name) : name_(std::move(name)) {
  if (std::find(names.begin(), names.end(), name_) == names.end()) {
    fail<OptionError>("Initializer", "there is no initializer '{}'; {}", name_,
                      nearest_hint(name_, names));
  }
}

void extend::read_option(OptionReader& reader, OptionName name, Initializer& value) {
  std::string text = value.name();
  reader(name, text);
  value = Initializer(text);
}
void extend::write_option(OptionWriter& writer, OptionName name, const Initializer& value) {
  writer(name, value.name());
}

Tensor Initializer::make(const Shape& shape, Seed seed, DType dtype) const {
  if (name_ == "zeros") return zeros(shape, dtype);
  if (name_ == "ones") return ones(shape, dtype);
  const Tensor made = rows::make(shape, dtype);
  auto values = checked::vector<double>("Initializer", shape.count());
  if (name_ == "orthogonal") {
    if (shape.rank() < 2) {
      fail<OptionError>("Initializer", "orthogonal for shape {}; expected two axes or more", shape);
    }
    values = orthogonal(shape, seed);
  } else {
    const auto [in, out] = fans(shape);
    const bool glorot = name_.starts_with("glorot"), he = name_.starts_with("he");
    const double variance = (he ? 2 : 1) / std::max(1.0, glorot ? (in + out) / 2 : in);
    const bool fixed = name_.starts_with("random");
    // 0.8796...: the deviation of a standard normal value cut at two deviations.
    const double deviation = std::sqrt(variance) / 0.87962566103423978;
    const double limit = fixed ? 0.05 : std::sqrt(3 * variance);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (name_ == "random_normal") {
        values[i] = 0.05 * normal_at(seed, i);
      } else if (name_.ends_with("normal")) {
        values[i] = deviation * cut_normal_at(seed, i);
      } else {
        values[i] = limit * (2 * random::unit_at(seed, i) - 1);
      }
    }
  }
  extend::dispatch_real("Initializer", dtype, [&]<class T>() {
    std::transform(values.begin(), values.end(), rows::of_mutable<T>(made).begin(),
                   [](double v) { return static_cast<T>(v); });
  });
  return made;
}

}  // namespace maskgrad
