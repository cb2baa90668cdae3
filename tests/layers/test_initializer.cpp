#include <doctest/doctest.h>

#include <cmath>
#include <maskgrad/maskgrad.hpp>

namespace maskgrad::tests::test_initializer {
namespace {

TEST_CASE("orthogonal rows, or columns where they are fewer, have length 1 and no part in common") {
  for (const Shape& shape :
       {Shape{1, 5}, Shape{17, 17}, Shape{40, 70}, Shape{70, 40}, Shape{3, 2, 4}, Shape{2, 2, 9}}) {
    const Tensor drawn = Initializer("orthogonal").make(shape, Seed{7}, DType::f64);
    const Tensor w = reshape(drawn, {shape.count(0, shape.rank() - 1), shape.back()});
    const bool wide = w.shape()[0] <= w.shape()[1];
    const Tensor turned = transpose(w, 0, 1);
    const Tensor products = matmul(wide ? w : turned, wide ? turned : w);
    const auto n = products.shape()[0];
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        CHECK(std::abs(products.item({i, j}) - (i == j ? 1 : 0)) < 1e-13);
      }
    }
  }
}

TEST_CASE("the other initializers have the variance that their names say") {
  constexpr double in = 300, out = 100;
  const std::pair<const char*, double> expected[] = {
      {"glorot_uniform", 2 / (in + out)},
      {"glorot_normal", 2 / (in + out)},
      {"he_uniform", 2 / in},
      {"he_normal", 2 / in},
      {"lecun_uniform", 1 / in},
      {"lecun_normal", 1 / in},
      {"random_uniform", 0.0025 / 3},
      {"random_normal", 0.0025},
      {"ones", 1},
      {"zeros", 0},
  };
  for (const auto& [title, variance] : expected) {
    const std::string_view name = title;
    CAPTURE(name);
    const Tensor w = Initializer(title).make({300, 100}, Seed{3}, DType::f64);
    CHECK(mean(square(w)).item() == doctest::Approx(variance).epsilon(0.03));
    const double most = max(abs(w)).item(), spread = std::sqrt(variance);
    if (name.ends_with("uniform")) CHECK(most <= std::sqrt(3) * spread);
    // Drawn again beyond two deviations.
    if (name.ends_with("normal") && name != "random_normal") CHECK(most <= 2 * spread / 0.879);
  }
}

}  // namespace
}  // namespace maskgrad::tests::test_initializer
