#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "throws.hpp"
#include "train/toy.hpp"

namespace maskgrad::tests::test_fit {
namespace {

const Progress off = Progress::off;

TEST_CASE("fit is the loop by hand, bit by bit") {
  const Batches batches{toy_data(), {.batch_size = 8, .seed = 3}};
  Sequential by_hand = toy_model(), fitted = toy_model();
  Adam hand{by_hand.parameters()}, adam{fitted.parameters()};
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    for (const Batch& b : batches.epoch(epoch)) {
      const Tensor logits = by_hand(b.inputs[0]);
      sparse_categorical_crossentropy(b.target, logits).backward();
      hand.step();
    }
  }
  fit(fitted, adam, batches, {.loss = toy_loss, .epochs = 3, .progress = off});
  CHECK(weights_of(fitted) == weights_of(by_hand));
}

TEST_CASE("a fit and a loop by hand that take turns train what each trains alone") {
  const Batches batches{toy_data(), {.batch_size = 8}};
  const Batches others{toy_data(20), {.batch_size = 4}};
  const auto steps_by_hand = [&](Sequential& model, Adam& adam, std::int64_t n) {
    std::int64_t step = 0;
    for (const Batch& batch : others.epoch(0)) {
      if (step++ != n) continue;
      sparse_categorical_crossentropy(batch.target, model(batch.inputs[0])).backward();
      adam.step();
    }
  };
  Sequential alone = toy_model(), other_alone = toy_model();
  Adam adam{alone.parameters()};
  fit(alone, adam, batches, {.loss = toy_loss, .progress = off});
  Adam other_adam{other_alone.parameters()};
  for (std::int64_t n = 0; n < 5; ++n) steps_by_hand(other_alone, other_adam, n);

  Sequential model = toy_model(), other = toy_model();
  Adam of_model{model.parameters()}, of_other{other.parameters()};
  fit(model, of_model, batches,
      {.loss = toy_loss, .progress = off, .on_step = [&](FitEvent& event) {
         steps_by_hand(other, of_other, event.step - 1);
       }});
  CHECK(weights_of(model) == weights_of(alone));
  CHECK(weights_of(other) == weights_of(other_alone));
}

TEST_CASE("the history has a row for each epoch, with all that was followed") {
  const Dataset data = toy_data();
  const Batches batches{data, {.batch_size = 8}};
  Sequential model = toy_model();
  Adam adam{model.parameters(), {.learning_rate = 0.01}};
  const auto history = fit(model, adam, batches,
                           {.loss = toy_loss,
                            .epochs = 4,
                            .metrics = {{"accuracy", SparseCategoricalAccuracy{}}},
                            .validation = Batches{data, {.batch_size = 13, .shuffle = false}},
                            .schedule = StepDecay{{.every = 2, .factor = 0.5}},
                            .progress = off});
  std::vector<std::string> names;
  for (const auto& entry : history.epochs[0].logs.values()) names.push_back(entry.first);
  CHECK(names == std::vector<std::string>{"loss", "accuracy", "val_loss", "val_accuracy",
                                          "learning_rate", "rows_per_second", "padding_skipped",
                                          "seconds"});
  CHECK(history.values("learning_rate") == std::vector<double>{0.01, 0.01, 0.005, 0.005});
  CHECK(adam.learning_rate() == 0.01);
  CHECK(history.epochs[3].epoch == 4);
  CHECK(history.epochs[3].steps == 20);
  CHECK(history.epochs[0].rows == data.steps());
  CHECK(history.epochs[0].padding > 0);
  CHECK(history.last("val_loss") ==
        doctest::Approx(evaluate(model, Batches{data}, toy_loss).at("test", "loss")));
  CHECK(history.last("loss") < history.values("loss")[0]);
  CHECK(throws<OptionError>([&] { history.values("val_acuracy"); }, "did you mean 'val_accuracy'"));
  CHECK(throws<StateError>([&] { History().last("loss"); }, "it has no epoch"));
}

/// Trains a model whose loss grows: its validation is best after the first epoch.
History run_until_worse(Sequential& model, EarlyStoppingOptions early,
                        std::function<void(FitEvent&)> on_epoch = {}) {
  const Batches batches{toy_data(), {.batch_size = 8}};
  SGD sgd{model.parameters(), {.learning_rate = 0.3}};
  const TrainingLoss wrong{[](const Batch& b, const Tensors& y) {
    return -1.0 * sparse_categorical_crossentropy(b.target, y[0]);
  }};
  return fit(model, sgd, batches,
             {.loss = wrong,
              .epochs = 30,
              .metrics = {{"nll", TrainingLoss{toy_loss}}},
              .validation = batches,
              .early_stopping = early,
              .progress = off,
              .on_epoch = std::move(on_epoch)});
}

TEST_CASE("early stopping ends after patience epochs and gives the best weights back") {
  Sequential model = toy_model();
  std::vector<std::vector<double>> weights;
  const auto keep = [&](FitEvent&) { weights.push_back(weights_of(model)); };
  const auto history = run_until_worse(model, {.monitor = "val_nll", .patience = 3}, keep);
  CHECK(history.stopped_early);
  CHECK(history.epochs.size() == 4);
  CHECK(history.best_epoch == 1);
  CHECK(weights_of(model) == weights[0]);
  CHECK(weights_of(model) != weights[3]);

  Sequential other = toy_model();
  weights.clear();
  const auto last = [&](FitEvent&) { weights.push_back(weights_of(other)); };
  run_until_worse(other, {.monitor = "val_nll", .patience = 3, .restore_best = false}, last);
  CHECK(weights_of(other) == weights[3]);
}

TEST_CASE("min_delta is what an epoch must be better by; a monitor that is not there is refused") {
  Sequential model = toy_model();
  const auto history = run_until_worse(model, {.patience = 2, .min_delta = 1e9});
  CHECK(history.epochs.size() == 3);
  CHECK(throws<OptionError>([&] { run_until_worse(model, {.monitor = "val_nl"}); },
                            "early_stopping: the epoch has no value 'val_nl'",
                            "did you mean 'val_nll'"));
}

TEST_CASE("callbacks see steps and epochs, may change the rate, and may stop") {
  const Batches batches{toy_data(), {.batch_size = 10}};
  Sequential model = toy_model();
  Adam adam{model.parameters()};
  std::int64_t steps = 0, epochs = 0;
  const auto history = fit(model, adam, batches,
                           {.loss = toy_loss,
                            .epochs = 10,
                            .progress = off,
                            .on_step =
                                [&](FitEvent& e) {
                                  CHECK(e.step == ++steps);
                                  CHECK(e.logs.find("norm").value() > 0);
                                  e.stop = e.step == 9;
                                },
                            .on_epoch =
                                [&](FitEvent& e) {
                                  CHECK(e.epoch == ++epochs);
                                  e.optimizer.set_learning_rate(0.5 / static_cast<double>(epochs));
                                }});
  CHECK(steps == 9);
  CHECK(history.epochs.size() == 2);
  CHECK(!history.interrupted);
  CHECK(adam.learning_rate() == 0.25);
}

TEST_CASE("a moving average judges epochs and is what the model has at the end") {
  const Batches batches{toy_data(), {.batch_size = 10}};
  Sequential model = toy_model(), plain = toy_model();
  SGD sgd{model.parameters(), {.learning_rate = 0.1}},
      other{plain.parameters(), {.learning_rate = 0.1}};
  MovingAverage average(plain.parameters(), {.decay = 0.9});
  const auto history = fit(model, sgd, batches,
                           {.loss = toy_loss,
                            .epochs = 2,
                            .validation = batches,
                            .average = MovingAverageOptions{.decay = 0.9},
                            .progress = off});
  fit(plain, other, batches,
      {.loss = toy_loss, .epochs = 2, .progress = off, .on_step = [&](FitEvent&) {
         average.update();
       }});
  CHECK(weights_of(model) != weights_of(plain));
  average.swap();
  CHECK(weights_of(model) == weights_of(plain));
  CHECK(history.last("val_loss") == evaluate(model, batches, toy_loss).at("test", "loss"));
}

TEST_CASE("the seed changes noise; weight noise, clipping and micro-batches are heard") {
  const Batches batches{toy_data(), {.batch_size = 10}};
  const auto trained = [&](FitOptions options) {
    Sequential model = toy_model();
    SGD sgd{model.parameters(), {.learning_rate = 0.1}};
    options.progress = off;
    fit(model, sgd, batches, std::move(options));
    return weights_of(model);
  };
  const auto plain = trained({.loss = toy_loss});
  CHECK(trained({.loss = toy_loss}) == plain);
  CHECK(trained({.loss = toy_loss, .seed = 1}) != plain);
  CHECK(trained({.loss = toy_loss, .weight_noise = 0.1}) != plain);
  CHECK(trained({.loss = toy_loss, .weight_noise = 0.1}) ==
        trained({.loss = toy_loss, .weight_noise = 0.1}));
  CHECK(trained({.loss = toy_loss, .clip_norm = 0.01}) != plain);
  CHECK(trained({.loss = toy_loss, .clip_value = 0.01}) != plain);
  const auto split = trained({.loss = toy_loss, .micro_batches = 3});
  CHECK(split != plain);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    CHECK(split[i] == doctest::Approx(plain[i]).epsilon(1e-4));
  }
}

TEST_CASE("windows carry state through fit, and begin anew with each sequence") {
  const Dataset data = toy_data().map([](Batch b) {
    b.target = b.inputs[0];
    return b;
  });
  Sequential model{GRU{{.units = 4, .return_sequences = true, .stateful = true}},
                   Dense{{.units = 3}}};
  model.build(Spec::f32({any, any, 3}).masked(2));
  SGD sgd{model.parameters(), {.learning_rate = 0.1}};
  const Batches windows{data, {.batch_size = 8, .window = 3}};
  const auto history =
      fit(model, sgd, windows,
          {.loss = "mean_squared_error", .epochs = 5, .validation = windows, .progress = off});
  CHECK(history.last("val_loss") < history.values("val_loss")[0]);
  CHECK(history.epochs[0].rows == data.steps());
}

TEST_CASE("no data, no valid row and no epochs change nothing and are no errors") {
  Sequential model = toy_model();
  Adam adam{model.parameters()};
  const auto before = weights_of(model);
  const auto none = fit(model, adam, Batches{toy_data(std::vector<std::int64_t>{})},
                        {.loss = toy_loss, .epochs = 2, .progress = off});
  CHECK(none.epochs.size() == 2);
  CHECK(std::isnan(none.last("loss")));
  CHECK(none.notes == std::vector<std::string>{
                          "fit: the data have no sequences, so there is nothing to train on"});
  const auto empty = fit(model, adam, Batches{toy_data({0, 0, 0, 0}), {.batch_size = 2}},
                         {.loss = toy_loss,
                          .epochs = 1,
                          .metrics = {"SparseCategoricalAccuracy"},
                          .average = MovingAverageOptions{},
                          .progress = off});
  CHECK(empty.epochs[0].steps == 0);
  CHECK(empty.epochs[0].skipped == 2);
  CHECK(empty.epochs[0].rows == 0);
  CHECK(std::isnan(empty.last("sparse_categorical_accuracy")));
  CHECK(adam.steps() == 0);
  const auto zero =
      fit(model, adam, Batches{toy_data()}, {.loss = toy_loss, .epochs = 0, .progress = off});
  CHECK(zero.epochs.empty());
  CHECK(weights_of(model) == before);
}

TEST_CASE("a loss or gradient that is not finite ends the run, naming epoch and step") {
  Sequential model = toy_model(DType::f64);
  SGD sgd{model.parameters(), {.learning_rate = 0.1}};
  const Batches batches{toy_data({3, 2, 4, 1}, DType::f64), {.batch_size = 1}};
  int calls = 0;
  const auto after = [&](int count, double factor) {
    calls = 0;
    return TrainingLoss{[&calls, count, factor](const Batch& b, const Tensors& y) {
      const double scale = ++calls > count ? factor : 1;
      return sparse_categorical_crossentropy(b.target, y[0] * scale);
    }};
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(throws<GradError>(
      [&] { fit(model, sgd, batches, {.loss = after(5, nan), .epochs = 3, .progress = off}); },
      "fit: epoch 2, step 6 (batch 2 of 4): train_step: the loss is nan"));
  CHECK(sgd.steps() == 5);
  const TrainingLoss steep{
      [](const Batch&, const Tensors& y) { return make_loss("steep", sqrt(y[0] - y[0])); }};
  CHECK(throws<GradError>([&] { fit(model, sgd, batches, {.loss = steep, .progress = off}); },
                          "fit: epoch 1, step 1 (batch 1 of 4)", "NaN or infinite"));
  CHECK(throws<GradError>(
      [&] { fit(model, sgd, batches, {.loss = steep, .progress = off, .detect_anomaly = true}); },
      "fit: epoch 1, step 1 (batch 1 of 4): sqrt: backward gave input 0"));
}

TEST_CASE("what fit refuses") {
  Sequential model = toy_model(), unbuilt{Dense{{.units = 2}}};
  Adam adam{model.parameters()};
  const Batches batches{toy_data()};
  const auto refused = [&](FitOptions options, std::string_view text) {
    CHECK(throws<OptionError>([&] { fit(model, adam, batches, std::move(options)); }, text));
  };
  refused({.loss = toy_loss, .epochs = -1}, "fit: the option .epochs is -1");
  refused({.loss = toy_loss, .clip_norm = -1}, "fit: the option .clip_norm is -1");
  refused({.loss = toy_loss, .clip_value = -1}, "fit: the option .clip_value is -1");
  refused({.loss = toy_loss, .weight_noise = -1}, "fit: the option .weight_noise is -1");
  refused({.loss = toy_loss, .micro_batches = 0}, "fit: the option .micro_batches is 0");
  refused({.loss = toy_loss, .early_stopping = EarlyStoppingOptions{.patience = 0}},
          "fit: the option .early_stopping.patience is 0");
  refused({.loss = toy_loss, .metrics_file = "metrics.txt"},
          "metrics_file: 'metrics.txt' ends in '.txt'; expected .csv or .jsonl");
  refused({.loss = toy_loss, .checkpoints = {.folder = "x", .keep = 0}},
          "checkpoint: the option .keep is 0");
  CHECK(throws<StateError>([&] { fit(unbuilt, adam, batches, {.loss = toy_loss}); },
                           "has no parameters yet; build the model first"));
}

}  // namespace
}  // namespace maskgrad::tests::test_fit
