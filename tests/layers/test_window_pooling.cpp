#include <limits>

#include "layers/window_reference.hpp"

namespace maskgrad::tests::test_window_pooling {
namespace {

/// Calls `of` with the values of each window of each feature; what is beyond the ends is left out.
template <class F>
Steps pooled(const Steps& x, std::int64_t width, std::int64_t strides, bool same, F&& of) {
  constexpr double beyond = std::numeric_limits<double>::quiet_NaN();
  const auto steps = static_cast<std::int64_t>(x.size());
  if (steps == 0) return {};
  const auto features = x[0].size();
  const auto [before, after] = same_padding(steps, width, strides);
  const Steps wide = same ? padded(x, before, after, features, beyond) : x;
  Steps y;
  for (std::int64_t t = 0; t + width <= static_cast<std::int64_t>(wide.size()); t += strides) {
    auto& step = y.emplace_back();
    for (std::size_t f = 0; f < features; ++f) {
      std::vector<double> values;
      for (std::int64_t j = 0; j < width; ++j) {
        const double v = wide[static_cast<std::size_t>(t + j)][f];
        if (v == v) values.push_back(v);
      }
      step.push_back(of(values));
    }
  }
  return y;
}

double greatest(const std::vector<double>& v) {
  return *std::max_element(v.begin(), v.end());
}
double average(const std::vector<double>& v) {
  double sum = 0;
  for (const double x : v) sum += x;
  return sum / static_cast<double>(v.size());
}

template <class L, class F>
void check(const L& layer, const Tensor& x, F&& of) {
  const auto& o = layer.options();
  const bool same = o.padding == "same";
  const auto strides = o.strides.value_or(o.pool_size);
  std::vector<Steps> expected;
  for (const auto& s : sequences(x)) expected.push_back(pooled(s, o.pool_size, strides, same, of));
  compare(layer.forward(x), expected, x, strides == 1 && (same || o.pool_size == 1));
}

TEST_CASE("pooling takes each sequence's windows as plain loops do, padding not counted") {
  using Strides = std::optional<std::int64_t>;
  for (const char* padding : {"valid", "same"}) {
    for (const std::int64_t pool_size : {1, 2, 3, 4, 7}) {
      for (const Strides strides : {Strides(), Strides(1), Strides(2), Strides(5)}) {
        CAPTURE(padding);
        CAPTURE(pool_size);
        CAPTURE(strides.value_or(0));
        const WindowPoolingOptions o{
            .pool_size = pool_size, .strides = strides, .padding = padding};
        check(MaskedMaxPooling1D{o}, masked_steps(3), greatest);
        check(MaskedAveragePooling1D{o}, masked_steps(3), average);
        for (const std::int64_t steps : {0, 1, 6, 7}) {
          check(MaxPooling1D{o}, plain_steps(steps, 3), greatest);
          check(AveragePooling1D{o}, plain_steps(steps, 3), average);
        }
      }
    }
  }
}

TEST_CASE("all below zero: what `same` puts around is not the greatest") {
  const Tensor x = tensor({-3., -2., -5.}, {1, 3, 1});
  const MaxPooling1D layer{{.pool_size = 3, .strides = 1, .padding = "same"}};
  CHECK(layer.forward(x).to_vector<double>() == std::vector<double>{-2, -2, -2});
}

TEST_CASE("by default windows of two lie side by side") {
  const Tensor x = tensor({1., 2., 3., 4., 5.}, {1, 5, 1});
  CHECK(MaxPooling1D{}.forward(x).to_vector<double>() == std::vector<double>{2, 4});
  CHECK(AveragePooling1D{}.forward(x).to_vector<double>() == std::vector<double>{1.5, 3.5});
  const Tensor y = x.with_mask(Mask::keep({{true, false, true, true, true}}));
  CHECK(MaskedMaxPooling1D{}.forward(y).drop_mask("a test").to_vector<double>() ==
        std::vector<double>{3, 5});
  CHECK(MaskedAveragePooling1D{}.forward(y).drop_mask("a test").to_vector<double>() ==
        std::vector<double>{2, 4.5});
}

}  // namespace
}  // namespace maskgrad::tests::test_window_pooling
