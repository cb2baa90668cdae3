#include <doctest/doctest.h>

#include <maskgrad/maskgrad.hpp>

namespace maskgrad::tests::test_segments {

Tensor numbers(const Shape& shape, std::uint64_t seed) {
  return random_normal(shape, Seed{seed}, DType::f64);
}

/// Sequences of 23, 9 and 0 steps, the second one with holes and padding of NaN.
Batch long_batch(std::int64_t features) {
  std::vector<bool> valid(3 * 23);
  for (std::size_t t = 0; t < 23; ++t) {
    valid[t] = true;
    valid[23 + t] = t % 2 == 1 && t < 19;
  }
  const Mask mask = Mask::keep(valid, {3, 23});
  Batch batch;
  batch.inputs = {numbers({3, 23, 3}, 1).with_mask(mask)};
  batch.target = numbers({3, 23, features}, 2).with_mask(mask);
  batch.samples = {0, 1, 2};
  return batch;
}

std::vector<Tensor> gradients_by(Sequential& model, const TrainingLoss& loss, const Batch& batch,
                                 const StepOptions& options, double* value = nullptr) {
  const NoiseScope same;
  for (const auto& p : model.parameters()) p.clear_grad();
  const auto total = compute_gradients(model, loss, batch, options);
  if (value) *value = total.value;
  std::vector<Tensor> all;
  for (const auto& p : model.parameters()) {
    all.push_back(p.grad().defined() ? p.grad().value() : zeros(p.shape(), p.dtype()));
    p.clear_grad();
  }
  return all;
}

void check_same(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(max(abs(a[i] - b[i])).item() <= 1e-11 * std::max(1.0, max(abs(b[i])).item()));
  }
}

TEST_CASE("in segments the gradient is that of the whole") {
  Sequential models[] = {
      Sequential{GRU{{.units = 4, .return_sequences = true}}, Dense{{.units = 2}}},
      Sequential{LSTM{{.units = 4, .dropout = 0.3, .return_sequences = true}},
                 Dropout{{.rate = 0.4}}, SimpleRNN{{.units = 3, .return_sequences = true}},
                 GaussianNoise{{.stddev = 0.1}}, Dense{{.units = 2}}},
      Sequential{Dense{{.units = 4}}, SinePositionEncoding{},
                 MultiHeadAttention{{.num_heads = 2,
                                     .key_dim = 4,
                                     .dropout = 0.2,
                                     .use_causal_mask = true,
                                     .rotary_max_wavelength = 100}},
                 Dense{{.units = 2}}}};
  for (auto& model : models) {
    model.build(Spec::f64({any, any, 3}).masked(2), Seed{2});
    const Batch batch = long_batch(2);
    double whole_value = 0, value = 0;
    const auto whole = gradients_by(model, "mean_squared_error", batch, {}, &whole_value);
    for (const std::int64_t segment : {1, 4, 7, 23, 100}) {
      const auto parts =
          gradients_by(model, "mean_squared_error", batch, {.segment = segment}, &value);
      check_same(parts, whole);
      CHECK(value == doctest::Approx(whole_value).epsilon(1e-12));
    }
  }
}

TEST_CASE("results over all steps and steps that come late, in segments") {
  Sequential last{GRU{{.units = 4}}, Dense{{.units = 2}}};
  last.build(Spec::f64({any, any, 3}).masked(2), Seed{2});
  Batch batch = long_batch(2);
  batch.target = numbers({3, 2}, 4);
  const auto whole = gradients_by(last, "mean_squared_error", batch, {});
  for (const std::int64_t segment : {1, 5, 40}) {
    check_same(gradients_by(last, "mean_squared_error", batch, {.segment = segment}), whole);
  }
  Sequential late{MaskedConv1D{{.filters = 4, .kernel_size = 5, .padding = "same"}},
                  GRU{{.units = 3, .return_sequences = true}},
                  MaskedConv1D{{.filters = 2, .kernel_size = 3, .padding = "same"}}};
  late.build(Spec::f64({any, any, 3}).masked(2), Seed{2});
  batch = long_batch(2);
  const auto expected = gradients_by(late, "mean_absolute_error", batch, {});
  for (const std::int64_t segment : {1, 5, 40}) {
    check_same(gradients_by(late, "mean_absolute_error", batch, {.segment = segment}), expected);
  }
}

TEST_CASE("truncated, nothing flows back into the segment before") {
  Sequential model{SimpleRNN{{.units = 3, .return_sequences = true}}, Dense{{.units = 2}}};
  model.build(Spec::f64({any, any, 3}).masked(2), Seed{2});
  const Batch batch = long_batch(2);
  const auto whole = gradients_by(model, "mean_squared_error", batch, {});
  const auto one =
      gradients_by(model, "mean_squared_error", batch, {.segment = 30, .truncate_gradients = true});
  check_same(one, whole);
  const auto cut =
      gradients_by(model, "mean_squared_error", batch, {.segment = 4, .truncate_gradients = true});
  double difference = 0;
  for (std::size_t i = 0; i < cut.size(); ++i) {
    difference = std::max(difference, max(abs(cut[i] - whole[i])).item());
  }
  CHECK(difference > 1e-3);
}

TEST_CASE("fit and train_step train in segments as in one piece") {
  Sequential a{GRU{{.units = 4, .return_sequences = true}}, Dense{{.units = 2}}};
  a.build(Spec::f64({any, any, 3}).masked(2), Seed{2});
  Sequential b = a.clone();
  Adam of_a{a.parameters()}, of_b{b.parameters()};
  const Batch batch = long_batch(2);
  for (int i = 0; i < 3; ++i) {
    const auto x = train_step(a, of_a, "mean_squared_error", batch, {.clip_norm = 1});
    const auto y = train_step(b, of_b, "mean_squared_error", batch, {.segment = 6, .clip_norm = 1});
    CHECK(x.loss == doctest::Approx(y.loss).epsilon(1e-10));
    CHECK(x.count == y.count);
  }
  for (std::size_t i = 0; i < a.parameters().size(); ++i) {
    CHECK(max(abs(a.parameters()[i] - b.parameters()[i])).item() <= 1e-9);
  }
}

TEST_CASE("what cannot be trained in segments is refused, with no gradient left behind") {
  Sequential model{GRU{{.units = 4, .return_sequences = true}}, Dense{{.units = 2}}};
  model.build(Spec::f64({any, any, 3}).masked(2), Seed{2});
  Adam adam{model.parameters()};
  const Batch batch = long_batch(2);
  const auto refuses = [&](Sequential& m, const TrainingLoss& loss, StepOptions options,
                           const char* text) {
    Adam own{m.parameters()};
    CHECK_THROWS_WITH_AS(train_step(m, own, loss, batch, options), doctest::Contains(text),
                         OptionError);
    for (const auto& p : m.parameters()) CHECK_FALSE(p.grad().defined());
  };
  refuses(model, "mean_squared_error", {.segment = -1}, "expected 1 or more steps");
  refuses(model, "mean_squared_error", {.micro_batches = 2, .segment = 4}, "expected one of them");
  refuses(model, {"mean_squared_error", R"({"reduction": "per_sequence"})"}, {.segment = 4},
          "is of whole sequences");
  refuses(
      model,
      [](const Tensor& target, const Tensor& y) {
        return make_loss("last", sum(square(last_valid(y) - last_valid(target)), -1));
      },
      {.segment = 4}, "is of whole sequences");
  Sequential both{Bidirectional{GRU{{.units = 1, .return_sequences = true}}}};
  both.build(Spec::f64({any, any, 3}).masked(2), Seed{2});
  refuses(both, "mean_squared_error", {.segment = 4}, "does not stream");
  Sequential normal{BatchNormalization{}, Dense{{.units = 2}}};
  normal.build(Spec::f64({any, any, 3}).masked(2), Seed{2});
  refuses(normal, "mean_squared_error", {.segment = 4}, "in training it reads all steps");
}

}  // namespace maskgrad::tests::test_segments
