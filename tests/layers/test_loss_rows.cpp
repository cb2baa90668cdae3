#include <doctest/doctest.h>

#include <string>

#include <maskgrad/maskgrad.hpp>

// Losses read rows by kernels of their own; the tape of a second derivative tells them as
// operations. Both give one gradient.
namespace maskgrad::tests::test_loss_rows {

/// Probabilities and beyond, with every edge that a loss has, in rows of `width`.
Tensor values_of(std::int64_t width, DType dtype, std::uint64_t seed) {
  auto values = random_uniform({4, width}, Seed{seed}, -0.2, 1.2).to_vector<float>();
  const float edges[] = {0, 1, 1e-7F, 1 - 1e-6F, 0.5F, 1e-20F};
  for (std::size_t i = 0; i < values.size(); i += 3) values[i] = edges[(i / 3 + seed) % 6];
  return cast(tensor(values, {4, width}), dtype);
}

void check_gradients(const Loss& loss, const Tensor& t, const Tensor& p) {
  const auto told = gradients(loss.tensor(), {t, p}, {.create_graph = true});
  const auto run = gradients(loss.tensor(), {t, p});
  for (std::size_t i = 0; i < 2; ++i) {
    const double all = sum(abs(told[i])).item();
    CHECK(std::isfinite(all));
    CHECK(sum(abs(told[i] - run[i])).item() <= (p.dtype() == DType::f32 ? 1e-5 : 1e-13) * all);
  }
}

TEST_CASE("every loss of rows has one gradient, by its kernel and by operations") {
  const LossOptions plain{};
  for (const auto dtype : {DType::f32, DType::f64}) {
    for (const std::int64_t width : {1, 7, 1100}) {
      const Tensor t = values_of(width, dtype, 2).with_grad();
      const Tensor p = values_of(width, dtype, 1).with_grad();
      CAPTURE(width);
      for (const auto& name : loss_names()) {
        if (name == "CTC" || name == "SparseCategoricalCrossentropy") continue;
        if (name == "CosineSimilarity" && width == 1) continue;  // a direction has no slope
        CAPTURE(std::string(name));
        // A Poisson rate is not below 0.
        const Tensor own = name == "Poisson" ? abs(p.value()).with_grad() : p;
        check_gradients(make_loss_function(name)(t, own), t, own);
      }
      for (const bool logits : {false, true}) {
        CAPTURE(logits);
        check_gradients(binary_crossentropy(t, p, {.from_logits = logits}), t, p);
        check_gradients(categorical_crossentropy(t, p, {.from_logits = logits}), t, p);
      }
    }
  }
}

TEST_CASE("a row of the weight 0 is not read, and what was there before a loss stays") {
  const float nan = std::nanf("");
  const Tensor t = tensor(std::vector<float>{1, 0, nan, nan}, {2, 2});
  const Tensor p = tensor(std::vector<float>{3, 1, nan, 2}, {2, 2}).with_grad();
  const Tensor weights = tensor(std::vector<float>{1, 0}, {2});
  for (int times = 1; times <= 2; ++times) {
    mean_squared_error(t, p, {.sample_weight = weights}).backward();
    CHECK(p.grad().to_vector<float>() == std::vector<float>{2.0F * static_cast<float>(times),
                                                            1.0F * static_cast<float>(times), 0,
                                                            0});
  }
}

}  // namespace maskgrad::tests::test_loss_rows
