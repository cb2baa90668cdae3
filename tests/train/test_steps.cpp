#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include "throws.hpp"
#include "train/toy.hpp"

namespace maskgrad::tests::test_steps {
namespace {

std::vector<std::vector<double>> gradients(const Sequential& model) {
  std::vector<std::vector<double>> all;
  for (const auto& p : model.parameters()) {
    all.push_back(p.grad().to_vector<double>());
    p.clear_grad();
  }
  return all;
}

/// The greatest difference between two gradients, over what the greater is above 1.
double distance(const std::vector<std::vector<double>>& a,
                const std::vector<std::vector<double>>& b) {
  double greatest = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    for (std::size_t i = 0; i < a[k].size(); ++i) {
      const double scale = std::max(1.0, std::abs(a[k][i]));
      greatest = std::max(greatest, std::abs(a[k][i] - b[k][i]) / scale);
    }
  }
  return greatest;
}

/// All of a data set as one batch, each sequence with a weight.
Batch whole_batch(const std::vector<std::int64_t>& lengths) {
  std::vector<std::int64_t> samples;
  std::vector<double> weights;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    samples.push_back(static_cast<std::int64_t>(i));
    weights.push_back(0.25 * static_cast<double>(i % 5));
  }
  Batch batch = toy_data(lengths, DType::f64).batch(samples);
  batch.weight = tensor(weights, {batch.size()});
  return batch;
}

TEST_SUITE("laws") {
  TEST_CASE("1 to 16 micro-batches give the gradient of the whole to 1e-12, lengths 0 to 200") {
    std::mt19937_64 random(3);
    std::vector<std::int64_t> lengths{200, 0, 1};
    while (lengths.size() < 21) lengths.push_back(static_cast<std::int64_t>(random() % 201));
    for (std::size_t i = 8; i < 12; ++i) lengths[i] = 0;  // a part without a valid row
    Sequential model = toy_model(DType::f64);
    const Batch batch = whole_batch(lengths);
    for (const std::string reduction : {"mean", "per_sequence", "sum"}) {
      const TrainingLoss loss{toy_loss,
                              R"({"from_logits": true, "reduction": ")" + reduction + "\"}"};
      const NoiseStep step({7});
      const auto whole = compute_gradients(model, loss, batch);
      const auto expected = gradients(model);
      for (std::int64_t parts = 1; parts <= 16; ++parts) {
        CAPTURE(parts);
        const auto split = compute_gradients(model, loss, batch, {.micro_batches = parts});
        CHECK(split.value == doctest::Approx(whole.value).epsilon(1e-12));
        CHECK(split.count == doctest::Approx(whole.count).epsilon(1e-12));
        CHECK(distance(expected, gradients(model)) <= 1e-12);
      }
    }
  }
}

TEST_CASE("a batch of fewer sequences than micro-batches has a part for each") {
  Sequential model = toy_model(DType::f64);
  int parts = 0;
  const StepOptions options{.micro_batches = 8,
                            .seen = [&](const Batch& part, const Tensors& y, const Loss&) {
                              ++parts;
                              CHECK(part.size() == 1);
                              CHECK(y[0].shape()[0] == 1);
                            }};
  compute_gradients(model, toy_loss, whole_batch({3, 5, 2}), options);
  CHECK(parts == 3);
}

TEST_CASE("an optimizer of some of the weights leaves the others alone, in parts too") {
  Sequential model = toy_model(DType::f64);
  SGD head{parameters(model.layer(2)), {.learning_rate = 0.1}};
  const auto gru = parameters(model.layer(0));
  const auto before = gru[0].value().to_vector<double>();
  for (const std::int64_t parts : {1, 2, 2}) {
    train_step(model, head, toy_loss, whole_batch({3, 5, 2}), {.micro_batches = parts});
    CHECK(!gru[0].grad().defined());
  }
  CHECK(head.steps() == 3);
  CHECK(gru[0].value().to_vector<double>() == before);
}

TEST_CASE("part_of cuts inputs, target, weight, samples and beginnings") {
  Batch batch = whole_batch({3, 5, 0, 2});
  batch.begins = {0, 2, 3};
  const Batch part = detail::part_of(batch, 1, 4);
  CHECK(part.inputs[0].mask().lengths() == std::vector<std::int64_t>{5, 0, 2});
  CHECK(part.target.to_vector<std::int64_t>().size() == 3);
  CHECK(part.weight.to_vector<double>() == std::vector<double>{0.25, 0.5, 0.75});
  CHECK(part.samples == std::vector<std::int64_t>{1, 2, 3});
  CHECK(part.begins == std::vector<std::int64_t>{1, 2});
}

TEST_CASE("rows are steps, or sequences where an input has one value a sequence") {
  const auto count = [](const Tensor& x) {
    const auto rows = detail::count_rows({{x}, {}, {}, {}, {}});
    return std::pair{rows.valid, rows.padding};
  };
  const Mask mask = Mask::from_lengths({3, 1});
  CHECK(count(zeros({2, 3, 4}).with_mask(mask)) == std::pair<std::int64_t, std::int64_t>{4, 2});
  CHECK(count(zeros({2, 3, 4})) == std::pair<std::int64_t, std::int64_t>{6, 0});
  CHECK(count(zeros({2, 3})) == std::pair<std::int64_t, std::int64_t>{2, 0});
  CHECK(count(zeros({2, 3}, DType::i64)) == std::pair<std::int64_t, std::int64_t>{6, 0});
}

TEST_CASE("a loss that is not finite stops the step with no gradient left and nothing applied") {
  Sequential model = toy_model(DType::f64);
  SGD sgd{model.parameters()};
  const auto before = weights_of(model);
  const TrainingLoss loss{[](const Batch&, const Tensors& y) {
    return make_loss("mine", y[0] * std::numeric_limits<double>::infinity());
  }};
  CHECK(throws<GradError>(
      [&] {
        train_step(model, sgd, loss, whole_batch({3, 2}));
      },
      "train_step: the loss is", "mine (mean over 4 positions)", "nothing of this step was applied",
      "detect_anomaly"));
  CHECK(weights_of(model) == before);
  for (const auto& p : model.parameters()) CHECK(!p.grad().defined());
}

TEST_CASE("micro-batches are refused where state is carried from row to row") {
  Sequential model{GRU{{.units = 3, .stateful = true}}, Dense{{.units = 2}}};
  model.build(Spec::f64({any, any, 3}).masked(2));
  const Batch batch = whole_batch({3, 2});
  CHECK(
      throws<OptionError>([&] { compute_gradients(model, toy_loss, batch, {.micro_batches = 0}); },
                          "the option .micro_batches is 0"));
  CHECK(
      throws<OptionError>([&] { compute_gradients(model, toy_loss, batch, {.micro_batches = 2}); },
                          "micro_batches is 2, and GRU 'gru' carries its state"));
}

TEST_CASE("evaluate gives the loss and metrics of the whole set, however it is cut, and no noise") {
  Sequential model = toy_model();
  const Dataset data = toy_data();
  Logs first;
  for (const std::int64_t size : {40, 7, 1}) {
    const Batches batches{data, {.batch_size = size, .shuffle = false}};
    const auto logs = evaluate(model, batches, toy_loss,
                               {"SparseCategoricalAccuracy", {"nll", TrainingLoss{toy_loss}}});
    if (size == 40) first = logs;
    CHECK(logs.at("test", "loss") == doctest::Approx(first.at("test", "loss")).epsilon(1e-6));
    CHECK(logs.at("test", "nll") == doctest::Approx(first.at("test", "loss")).epsilon(1e-6));
    CHECK(logs.at("test", "sparse_categorical_accuracy") ==
          first.at("test", "sparse_categorical_accuracy"));
  }
  CHECK(throws<OptionError>([&] { first.at("test", "accuracy"); },
                            "test: the epoch has no value 'accuracy'"));
}

TEST_CASE("evaluate lets carried state begin with each sequence, and leaves none behind") {
  Sequential model{GRU{{.units = 3, .return_sequences = true, .stateful = true}},
                   Dense{{.units = 3}}};
  model.build(Spec::f32({any, any, 3}).masked(2));
  const Dataset plain = toy_data();
  const Dataset data = plain.map([](Batch b) {
    b.target = b.inputs[0];
    return b;
  });
  const Batches whole{data, {.batch_size = 8, .shuffle = false}};
  const Batches windows{data, {.batch_size = 8, .shuffle = false, .window = 3}};
  const double expected = evaluate(model, whole, "mean_squared_error").at("test", "loss");
  CHECK(evaluate(model, windows, "mean_squared_error").at("test", "loss") ==
        doctest::Approx(expected).epsilon(1e-5));
  for (const Batch& b : whole.epoch(0)) {
    predict(model, b.inputs);  // of any size: nothing is carried
    break;
  }
}

TEST_CASE("the loss of many batches pools the terms, and is nothing of nothing") {
  detail::LossTotal total;
  CHECK(std::isnan(total.value()));
  for (const std::int64_t n : {3, 1}) {
    const Tensor x = full({n}, static_cast<double>(n), DType::f64);
    total.add(make_loss("a", x) + 0.5 * make_loss("b", x, {.reduction = Reduction::sum}));
    total.end_batch();
  }
  CHECK(total.value() == doctest::Approx((9 + 1) / 4.0 + 0.5 * (9 + 1) / 2));
  detail::LossTotal again;
  again.set_counted(total.counted());
  CHECK(again.value() == total.value());
  CHECK(throws<GradError>([&] { total.add(make_loss("a", ones({1}))); },
                          "a loss has 1 terms, the ones before had 2"));
}

TEST_CASE("what losses and metrics of a training refuse") {
  Sequential model = toy_model();
  const Batches batches{toy_data()};
  CHECK(throws<OptionError>([] { TrainingLoss{"mean_square_error"}; },
                            "did you mean 'mean_squared_error'"));
  CHECK(throws<OptionError>([] { TrainingMetric{"Accuracy"}; }, "there is no metric 'Accuracy'"));
  const Batches without{toy_data().map([](Batch b) {
    b.target = {};
    return b;
  })};
  CHECK(
      throws<OptionError>([&] { evaluate(model, without, toy_loss); }, "the data have no target"));
  CHECK(throws<OptionError>(
      [&] { evaluate(model, batches, toy_loss, {ConfusionMatrix{{.num_classes = 2}}}); },
      "confusion_matrix: it is f64[2, 2]", "metrics of one number"));
  const Batches weighted{toy_data().map([](Batch b) {
    b.weight = ones({b.size()});
    return b;
  })};
  const LossFunction plain = [](const Tensor& t, const Tensor& p) {
    return sparse_categorical_crossentropy(t, p);
  };
  CHECK(throws<OptionError>([&] { evaluate(model, weighted, plain); },
                            "it takes no sample weights, and the batch has some"));
}

}  // namespace
}  // namespace maskgrad::tests::test_steps
