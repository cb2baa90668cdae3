#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <maskgrad/maskgrad.hpp>

// The laws for second derivatives: of a model of recurrence, attention and normalization.

namespace maskgrad::tests::test_second_laws {

constexpr std::int64_t batch = 3, steps = 6, features = 4;

Sequential make_model() {
  Sequential model{GRU{{.units = 6, .return_sequences = true}},
                   MultiHeadAttention{{.num_heads = 2, .key_dim = 3}}, LayerNormalization{},
                   LSTM{{.units = 3}}, Dense{{.units = 2}}};
  model.build(Spec::f64({any, any, features}).masked(2), Seed{2});
  return model;
}

/// The same steps each time, `padding` behind the ends.
Tensor input(const std::vector<std::int64_t>& lengths, double padding) {
  auto values = random_normal({batch, steps, features}, Seed{1}, DType::f64).to_vector<double>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i) / features;
    const auto length = lengths[static_cast<std::size_t>(row / steps)];
    if (row % steps >= length) values[i] = padding;
  }
  return tensor<double>(values, {batch, steps, features})
      .with_mask(Mask::from_lengths(lengths, steps));
}

/// The Hessian of the sum of squares along a fixed direction.
std::vector<double> product(Sequential& model, const Tensor& x) {
  std::vector<Tensor> along;
  for (const auto& p : model.parameters()) {
    along.push_back(random_normal(p.shape(), Seed{along.size()}, DType::f64));
  }
  std::vector<double> all;
  const auto hv = hvp([&] { return sum(square(model(x))); }, model.parameters(), along);
  for (const auto& t : hv) {
    for (const double v : t.to_vector<double>()) all.push_back(v);
  }
  return all;
}

TEST_SUITE("laws") {
  TEST_CASE("padding reaches no bit of a second derivative") {
    auto model = make_model();
    for (const auto& lengths : {std::vector<std::int64_t>{2, 0, 6}, {0, 0, 0}}) {
      const auto zeros = product(model, input(lengths, 0));
      CHECK(zeros == product(model, input(lengths, 1e300)));
      CHECK(zeros == product(model, input(lengths, std::numeric_limits<double>::quiet_NaN())));
      for (const double v : zeros) CHECK(std::isfinite(v));
    }
  }

  TEST_CASE("sequences alone add up to the second derivative of the batch") {
    auto model = make_model();
    const Tensor x = input({2, 5, 6}, 0);
    const auto whole = product(model, x);
    std::vector<double> parts(whole.size());
    for (std::int64_t i = 0; i < batch; ++i) {
      const auto one = product(model, slice(x, 0, i, i + 1));
      for (std::size_t k = 0; k < parts.size(); ++k) parts[k] += one[k];
    }
    for (std::size_t k = 0; k < parts.size(); ++k) {
      CHECK(std::abs(parts[k] - whole[k]) <= 1e-10 * std::max(1.0, std::abs(whole[k])));
    }
  }
}

TEST_CASE("per-sequence gradients are those of each sequence alone, and mean those of the batch") {
  auto model = make_model();
  const Tensor x = input({2, 0, 6}, 0);
  const auto loss = [&](const std::vector<Tensor>& in) {
    return make_loss("squares", square(model(in[0])));
  };
  const auto each = per_sequence_gradients(loss, {x}, model.parameters());
  CHECK(each.norms.mask().to_vector() == std::vector<bool>{true, false, true});
  std::vector<Tensor> total;
  for (std::size_t k = 0; k < each.gradients.size(); ++k) {
    const Tensor sums = sum(each.gradients[k], {0}) / 2.0;
    const Tensor whole =
        gradients(loss({x}).tensor(), std::vector<Tensor>{model.parameters()[k]})[0];
    CHECK(max(abs(sums - whole.value())).item() <= 1e-12);
  }
  const auto clipped = each.clipped_mean(1e-3);
  double squares = 0;
  for (const auto& g : clipped) squares += sum(square(g)).item();
  CHECK(std::sqrt(squares) <= 2e-3 / 3 + 1e-12);
  CHECK(!model.parameters()[0].grad().defined());
}

}  // namespace maskgrad::tests::test_second_laws
