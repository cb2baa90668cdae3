#include <cmath>
#include <limits>

#include "throws.hpp"
#include "train/toy.hpp"

namespace maskgrad::tests::test_fit_checks {
namespace {

const Progress off = Progress::off;

TEST_CASE("positions that fall away are counted in the history, said once, and refused on demand") {
  const Tensor x = ones({4, 5, 3}).with_mask(Mask::from_lengths({5, 3, 2, 1}, 5));
  const Tensor y = ones({4, 5, 1}).with_mask(Mask::from_lengths({4, 3, 2, 2}, 5));
  Sequential model{Dense{{.units = 1}}};
  model.build(Spec::f32({any, any, 3}).masked(2), Seed{1});
  SGD sgd{model.parameters()};
  // A data set checks its own lengths; labels of other lengths come from a view.
  const auto data = Dataset::from_memory({x}).map([&y](Batch b) {
    b.target = y;
    return b;
  });
  const Batches batches{data, {.shuffle = false}};
  const auto history =
      fit(model, sgd, batches,
          {.loss = "mean_squared_error", .epochs = 2, .validation = batches, .progress = off});
  CHECK(history.epochs[0].fallen_away == 2);
  CHECK(history.epochs[1].fallen_away == 2);
  REQUIRE(history.notes.size() == 1);
  CHECK(
      said(history, "the masks of target and prediction differ in the training data: 2 positions"));
  CHECK(detail::epoch_line(history.epochs[0], 2, 0).find("2 positions fell away") !=
        std::string::npos);
  const auto refused = [&](FitOptions options) {
    options.loss = options.loss.by_name() ? options.loss : TrainingLoss("mean_squared_error");
    options.progress = off;
    CHECK(throws<MaskError>([&] { fit(model, sgd, batches, options); },
                            "fit: epoch 1, step 1 (batch 1 of 1)", "leave out .strict_lengths"));
  };
  refused({.loss = "mean_squared_error", .strict_lengths = true});
  refused({.loss = TrainingLoss{"mean_squared_error", R"({"strict_lengths": true})"}});
}

TEST_CASE("sequences that CTC skips are counted in the history") {
  // Three labels in two steps cannot be; blanks and steps are enough for the other one.
  const Tensor x = ones({2, 5, 3}).with_mask(Mask::from_lengths({2, 5}, 5));
  const Tensor y =
      tensor<std::int64_t>({1, 2, 1, 1, 2, 1}, {2, 3}).with_mask(Mask::from_lengths({3, 3}, 3));
  const auto data = Dataset::from_memory({x}).map([&y](Batch b) {
    b.target = y;
    return b;
  });
  Sequential model{Dense{{.units = 3}}};
  model.build(Spec::f32({any, any, 3}).masked(2), Seed{1});
  SGD sgd{model.parameters()};
  const auto history = fit(
      model, sgd, Batches{data, {.shuffle = false}},
      {.loss = TrainingLoss{"ctc", R"({"skip_infeasible": true})"}, .epochs = 2, .progress = off});
  for (const auto& record : history.epochs) {
    CHECK(record.infeasible == 1);
    CHECK(record.fallen_away == 0);
    CHECK(detail::epoch_line(record, 2, 0).find("1 sequences skipped") != std::string::npos);
  }
}

TEST_CASE("an optimizer of another model is refused by name, and nothing changes") {
  const Batches batches{toy_data(), {.batch_size = 8}};
  Sequential model = toy_model(), other = toy_model(DType::f32, Seed{2});
  Adam wrong{other.parameters()}, right{model.parameters()};
  const auto before = weights_of(model);
  const auto run = [&](Optimizer& optimizer) {
    return fit(model, optimizer, batches, {.loss = toy_loss, .progress = off});
  };
  CHECK(throws<OptionError>([&] { run(wrong); }, "fit: epoch 1, step 1",
                            "the optimizer Adam has none of the parameters that got a gradient",
                            "those of another model", "Make it with this model's parameters()"));
  CHECK(weights_of(model) == before);
  for (const auto& p : model.parameters()) CHECK(!p.grad().defined());
  CHECK(run(right).epochs[0].steps == 5);
}

TEST_CASE(
    "one optimizer over two models with equal names makes checkpoints and goes on from them") {
  const files::TemporaryFolder folder;
  const auto run = [&](const std::string& name, std::int64_t epochs) {
    Sequential model = toy_model(), teacher = toy_model(DType::f32, Seed{7});
    auto both = model.parameters();
    for (const auto& p : teacher.parameters()) both.push_back(p);
    Adam adam{both};
    const TrainingLoss loss{[&teacher](const Batch& b, const Tensors& y) {
      return sparse_categorical_crossentropy(b.target, y[0]) +
             sparse_categorical_crossentropy(b.target, teacher(b.inputs[0]));
    }};
    const auto history = fit(model, adam, Batches{toy_data(), {.batch_size = 20}},
                             {.loss = loss,
                              .epochs = epochs,
                              .average = MovingAverageOptions{},
                              .checkpoints = {.folder = folder / name},
                              .progress = off});
    CHECK(history.last("loss") > 0);
    auto all = weights_of(model);
    for (const double v : weights_of(teacher)) all.push_back(v);
    return all;
  };
  const auto whole = run("whole", 4);
  run("parts", 2);
  CHECK(run("parts", 4) == whole);
}

TEST_CASE("trainings that cannot be what was meant are refused before they begin") {
  Sequential model = toy_model();
  Adam adam{model.parameters()};
  const auto before = weights_of(model);
  const auto refused = [&](FitOptions options, std::string_view text) {
    options.progress = off;
    CHECK(throws<OptionError>([&] { fit(model, adam, Batches{toy_data()}, options); }, text));
    CHECK(weights_of(model) == before);
  };
  const TrainingLoss nll{toy_loss};
  refused({.loss = toy_loss, .metrics = {{"a", nll}, {"a", nll}}},
          "fit: the metric 'a' would stand where 'a' stands already; give it a name of its own");
  refused({.loss = toy_loss, .metrics = {"SparseCategoricalAccuracy", "SparseCategoricalAccuracy"}},
          "the metric 'sparse_categorical_accuracy'");
  for (const std::string name :
       {"loss", "epoch", "steps", "seconds", "learning_rate", "val_loss"}) {
    refused({.loss = toy_loss, .metrics = {{name, nll}}}, "would stand where '" + name);
  }
  refused({.loss = toy_loss, .metrics = {{"val_a", nll}, {"a", nll}}}, "where 'val_a' stands");
  refused({.loss = toy_loss, .metrics = {{"a", nll}, {"val_a", nll}}}, "where 'val_a' stands");
  CHECK(throws<OptionError>(
      [&] {
        evaluate(model, Batches{toy_data()}, nll, {{"loss", nll}});
      },
      "evaluate: the metric 'loss' would stand"));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  refused({.loss = toy_loss, .clip_norm = nan}, ".clip_norm is nan");
  refused({.loss = toy_loss, .clip_value = INFINITY}, ".clip_value is inf");
  refused({.loss = toy_loss, .weight_noise = nan}, ".weight_noise is nan");
  refused({.loss = toy_loss, .early_stopping = EarlyStoppingOptions{.patience = -3}},
          ".early_stopping.patience is -3");
  refused({.loss = toy_loss, .early_stopping = EarlyStoppingOptions{.min_delta = nan}},
          ".min_delta is nan");
  refused(
      {.loss = toy_loss, .epochs = 2000, .schedule = ExponentialDecay{{.every = 1, .factor = 2}}},
      "the schedule ExponentialDecay gives the learning rate");
  refused({.loss = toy_loss, .output = nullptr}, "the option .output is null");
  CHECK(
      throws<OptionError>([] { TrainingLoss{std::function<Loss(const Tensor&, const Tensor&)>()}; },
                          "it was given a function that is empty"));
}

TEST_CASE("sizes beyond all data are as good as no bound") {
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const Dataset data = toy_data();
  for (const auto& options : {BatchesOptions{.batch_size = most}, BatchesOptions{.max_rows = most},
                              BatchesOptions{.batch_size = most, .bucket = true},
                              BatchesOptions{.max_rows = most, .bucket = true}}) {
    CHECK((Batches{data, options}.size(0)) == 1);
  }
  Sequential model = toy_model();
  Adam adam{model.parameters()};
  const auto history = fit(model, adam, Batches{data},
                           {.loss = toy_loss,
                            .epochs = most,
                            .schedule = CosineDecay{{.over = 1e38}},
                            .micro_batches = most,
                            .progress = off,
                            .on_epoch = [](FitEvent& e) { e.stop = e.epoch == 2; }});
  CHECK(history.epochs.size() == 2);
}

TEST_CASE("early stopping never takes -inf or NaN for the best, and says what it saw") {
  const double inf = INFINITY, nan = std::numeric_limits<double>::quiet_NaN();
  for (const double odd : {-inf, nan}) {
    CAPTURE(odd);
    Sequential model = toy_model();
    Adam adam{model.parameters()};
    std::int64_t epoch = 0;
    const TrainingMetric watched{"odd", TrainingLoss{[&](const Batch&, const Tensors& y) {
                                   const double value = epoch == 1 ? odd : 5 - double(epoch);
                                   return make_loss("odd", full({1}, value, y[0].dtype()));
                                 }}};
    const auto history = fit(model, adam, Batches{toy_data()},
                             {.loss = toy_loss,
                              .epochs = 4,
                              .metrics = {watched},
                              .early_stopping = EarlyStoppingOptions{.monitor = "odd"},
                              .progress = off,
                              .on_epoch = [&](FitEvent&) { ++epoch; }});
    CHECK(history.best_epoch == 4);
    REQUIRE(history.notes.size() == 1);
    CHECK(said(history, "in epoch 2: an epoch without a finite value is never the best"));
  }
}

TEST_CASE("errors of a step and of a validation name the sequences of the data") {
  std::vector<std::int64_t> lengths{3, 2, 4, 1, 2, 3};
  Dataset data = toy_data(lengths);
  const Dataset wrong = data.map([](Batch b) {
    std::vector<std::int64_t> ids(b.samples.size());
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = b.samples[i] == 4 ? 9 : b.samples[i] % 2;
    b.target = tensor(ids, {b.size()});
    return b;
  });
  Sequential model = toy_model();
  Adam adam{model.parameters()};
  const Batches batches{wrong, {.batch_size = 3, .shuffle = false}};
  CHECK(throws<IndexError>(
      [&] { fit(model, adam, batches, {.loss = toy_loss, .progress = off}); },
      "fit: epoch 1, step 2 (batch 2 of 2): ", "in sequence 4 of the data, which fails alone too"));
  CHECK(throws<IndexError>([&] { evaluate(model, batches, toy_loss); },
                           "evaluate: batch 2: ", "in sequence 4 of the data"));
  CHECK(throws<IndexError>(
      [&] {
        fit(model, adam, Batches{data}, {.loss = toy_loss, .validation = batches, .progress = off});
      },
      "fit: epoch 1, validation: evaluate: batch 2: ", "in sequence 4 of the data"));
  const TrainingLoss own{[](const Batch& b, const Tensors& y) {
    return sparse_categorical_crossentropy(b.target, y[0]);
  }};
  CHECK(throws<IndexError>([&] { fit(model, adam, batches, {.loss = own, .progress = off}); },
                           "the batch has sequences 3, 4, 5 of the data"));
  const Dataset broken = data.map(
      [](Batch b) -> Batch { fail<FileError>("my reader", "cannot read {}", b.samples[0]); });
  CHECK(throws<FileError>(
      [&] { fit(model, adam, Batches{broken}, {.loss = toy_loss, .progress = off}); },
      "fit: epoch 1, step 1 (batch 1 of 1): my reader: cannot read"));
  const TrainingLoss large{[](const Batch&, const Tensors& y) -> Loss {
    return mean_squared_error(zeros({std::int64_t{1} << 50}), y[0]);
  }};
  try {
    fit(model, adam, batches, {.loss = large, .progress = off});
    FAIL("nothing was thrown");
  } catch (const MemoryError& error) {
    CHECK(std::string(error.what()).starts_with("fit: epoch 1, step 1 (batch 1 of "));
    CHECK(error.wanted == std::int64_t{4} << 50);
  }
}

TEST_CASE("f64 data in an f32 model: the message says both ways, and both work") {
  const Dataset data = toy_data({3, 2, 4}, DType::f64);
  Sequential model = toy_model(), other = toy_model(DType::f64);
  Adam adam{model.parameters()}, adam64{other.parameters()};
  CHECK(throws<TypeError>(
      [&] { fit(model, adam, Batches{data}, {.loss = toy_loss, .progress = off}); },
      "fit: epoch 1, step 1 (batch 1 of 1)", "cast the input, cast(x, DType::f32)",
      "the data are f64, the model f32: build it with Spec::f64, or cast the data: data.map(",
      "x = mg::cast(x, mg::DType::f32)"));
  const auto cast_data = data.map([](Batch b) {
    for (auto& x : b.inputs) x = cast(x, DType::f32);
    return b;
  });
  CHECK(fit(model, adam, Batches{cast_data}, {.loss = toy_loss, .progress = off}).epochs.size() ==
        1);
  CHECK(fit(other, adam64, Batches{data}, {.loss = toy_loss, .progress = off}).epochs.size() == 1);
}

TEST_CASE("a loss that is not on the tape says how to put it there") {
  Sequential model = toy_model();
  const Batch batch = toy_data().batch({0, 1});
  const auto loss_of = [&](const Tensor& y) {
    return sparse_categorical_crossentropy(batch.target, y);
  };
  const auto refused = [&](auto&& f) {
    CHECK(throws<GradError>(f, "is not on the tape",
                            "model(x), which records, not of model.predict(x)", "outside NoGrad",
                            "set_trainable(model, true)"));
  };
  refused([&] { loss_of(model.predict(batch.inputs[0])).backward(); });
  refused([&] {
    const NoGrad guard;
    loss_of(model(batch.inputs[0])).backward();
  });
  set_trainable(model, false);
  refused([&] { loss_of(model(batch.inputs[0])).backward(); });
  set_trainable(model, true);
  loss_of(model(batch.inputs[0])).backward();
  CHECK(model.parameters()[0].grad().defined());
}

}  // namespace
}  // namespace maskgrad::tests::test_fit_checks
