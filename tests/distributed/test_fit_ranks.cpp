#include <doctest/doctest.h>

#include "distributed/runs.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_fit_ranks {
namespace {

Sequential normalized() {
  Sequential model{BatchNormalization{{.momentum = 0.8}}, GRU{{.units = 4}},
                   BatchNormalization{{.momentum = 0.9}}, Dense{{.units = 2}}};
  model.build(steps_of_three, Seed{1});
  return model;
}

Sequential stateful() {
  Sequential model{GRU{{.units = 5, .dropout = 0.1, .stateful = true}}, Dense{{.units = 2}}};
  model.build(steps_of_three, Seed{1});
  return model;
}

}  // namespace

TEST_CASE("1, 2, 4 and 8 ranks give the same bits; others are equal to rounding") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    CAPTURE(name(dtype));
    const Training training{.dtype = dtype};
    const Trained alone = training.run({.communicator = Communicator::alone()});
    for (const int size : {2, 4, 8}) {
      CAPTURE(size);
      for (const Trained& rank : on_ranks(training, size)) CHECK(rank == alone);
    }
    const double close = dtype == DType::f32 ? 1e-6 : 1e-12;
    for (const int size : {3, 5, 6, 7}) {
      CAPTURE(size);
      const auto all = on_ranks(training, size);
      for (const Trained& rank : all) CHECK(rank == all[0]);
      CHECK(farthest(all[0].weights, alone.weights) <= close);
    }
  }
}

TEST_CASE("shards give the training of the whole batch, to rounding") {
  const Training training{.dtype = DType::f64};
  const Trained whole = training.run({});
  const Trained shards = training.run({.communicator = Communicator::alone()});
  CHECK(farthest(whole.weights, shards.weights) < 1e-12);
  CHECK(farthest(whole.logs, shards.logs) < 1e-12);
  for (const auto order : {ReductionOrder::fixed, ReductionOrder::fastest}) {
    const auto two = on_ranks(training, 2, {.shards = 2, .reduction_order = order});
    CHECK(farthest(two[0].weights, whole.weights) < 1e-12);
    CHECK(two[0] == two[1]);
  }
}

TEST_CASE("no result depends on the number of threads") {
  const Training training;
  const int before = num_threads();
  std::vector<Trained> all;
  for (const int threads : {1, 2, 4}) {
    set_num_threads(threads);
    all.push_back(on_ranks(training, 2)[1]);
  }
  set_num_threads(before);
  CHECK(all[0] == all[1]);
  CHECK(all[0] == all[2]);
}

TEST_CASE("ranks without rows, parts of shards, windows") {
  const auto same = [](const Training& training) {
    const Trained alone = training.run({.communicator = Communicator::alone()});
    for (const int size : {2, 8}) CHECK(on_ranks(training, size)[1] == alone);
  };
  same({.batches = {.batch_size = 2, .seed = 1}, .data = toy_data({3, 0, 5, 9, 1})});
  same({.change = [](FitOptions& o) { o.micro_batches = 24; }});
  same({.change = [](FitOptions& o) { o.batch_invariant = true; }});
  same({.batches = {.batch_size = 6, .window = 50}});
  same({.batches = {.max_rows = 300}});
}

TEST_CASE("moving statistics are those of all ranks, and states go on in windows") {
  const std::vector<std::function<Sequential()>> models{normalized, stateful};
  for (const auto& model : models) {
    Training training{.batches = {.batch_size = 8, .seed = 3, .window = 30}, .model = model};
    const Trained alone = training.run({.communicator = Communicator::alone()});
    for (const int size : {2, 4, 8}) {
      CAPTURE(size);
      for (const Trained& rank : on_ranks(training, size)) CHECK(rank == alone);
    }
    const files::TemporaryFolder folder;
    training.folder = folder.path();
    training.change = [](FitOptions& options) {
      options.on_step = [](FitEvent& event) { event.stop = event.step == 7; };
    };
    on_ranks(training, 4);
    training.change = {};
    CHECK(on_ranks(training, 2)[1].weights == alone.weights);
  }
}

TEST_CASE("of one shard the moving statistics are those of the whole batch") {
  const auto moving = [](const RankOptions& ranks) {
    Sequential model{BatchNormalization{{.momentum = 0.5}}, GlobalAveragePooling1D{},
                     Dense{{.units = 2}}};
    model.build(Spec::f64({any, any, 3}).masked(2), Seed{1});
    SGD sgd{model.parameters(), {.learning_rate = 0.1}};
    train_step(model, sgd, toy_loss, uneven_data(DType::f64).batch({1, 2, 3, 4, 5, 9}),
               {.ranks = ranks});
    return weights_of(model);
  };
  const auto whole = moving({});
  CHECK(farthest(whole, moving({.communicator = Communicator::alone(), .shards = 1})) < 1e-14);
  // gamma and beta of two shards differ, as each has statistics of its own; the moving ones do not.
  const auto shards = moving({.communicator = Communicator::alone(), .shards = 4});
  const std::vector<double> own(whole.begin() + 6, whole.begin() + 12);
  CHECK(farthest(own, {shards.begin() + 6, shards.begin() + 12}) < 1e-14);
}

TEST_CASE("a checkpoint of some ranks goes on with others, to the same bits") {
  const files::TemporaryFolder folder;
  const Trained whole = Training{.epochs = 3}.run({.communicator = Communicator::alone()});
  int size = 4;
  for (const std::int64_t epochs : {1, 2, 3}) {
    const auto all = on_ranks({.epochs = epochs, .folder = folder.path()}, size);
    size /= 2;
    if (epochs < 3) continue;
    CHECK(all[0].weights == whole.weights);
  }
}

TEST_CASE("a signal, or a callback, on one rank ends all in good order") {
  std::vector<std::int64_t> steps(4);
  run_ranks(4, [&](const Communicator& ranks) {
    Training training;
    training.change = [&](FitOptions& options) {
      options.on_step = [&](FitEvent& event) {
        steps[static_cast<std::size_t>(ranks.rank())] = event.step;
        if (ranks.rank() == 2 && event.step == 3) event.stop = true;
      };
    };
    training.run({.communicator = ranks});
  });
  CHECK(steps == std::vector<std::int64_t>{3, 3, 3, 3});
}

TEST_CASE("a forecast measures, changes nothing, and knows what balance and network cost") {
  Sequential model = toy_model();
  Adam adam{model.parameters(), {.learning_rate = 0.01}};
  const Batches batches{uneven_data(), {.batch_size = 12, .seed = 1}};
  train_step(model, adam, toy_loss, *batches.epoch(0).begin());
  const auto before = weights_of(model);
  const auto state = adam.state_arrays();
  const Forecast made =
      forecast(model, adam, batches, toy_loss,
               {.ranks = {1, 2, 3, 64}, .network = {.latency = 1, .bandwidth = 1e9}});
  CHECK(weights_of(model) == before);
  CHECK(adam.state_arrays() == state);
  REQUIRE(made.rows.size() == 4);
  CHECK(made.rows[0].efficiency == doctest::Approx(1));
  CHECK(made.rows[0].bytes == 0);
  CHECK(made.rows[1].step_seconds > 4);  // of four messages at least
  CHECK(made.rows[1].limit == "latency");
  CHECK(made.rows[3].balance > made.rows[1].balance);
  CHECK(made.table().find("efficiency") != std::string::npos);
  CHECK(throws<OptionError>([&] { forecast(model, adam, batches, toy_loss, {.ranks = {0}}); },
                            "ranks is 0"));
  Training training{.epochs = 1};
  const auto plain = training.run({});
  training.change = [](FitOptions& options) { options.simulate_ranks = {1, 16}; };
  const auto simulated = training.run({});
  CHECK(simulated == plain);
  CHECK(simulated.notes.at(0).find("forecast, a step measured here, 1 epochs") == 0);
}

TEST_CASE("evaluate gives all ranks the same") {
  const Batches batches{uneven_data(DType::f64), {.batch_size = 9, .shuffle = false}};
  Sequential model = toy_model(DType::f64);
  const auto logs = [&](const RankOptions& ranks) {
    Sequential copy = model.clone();
    return evaluate(copy, batches, toy_loss, {"SparseCategoricalAccuracy"}, {}, ranks);
  };
  const Logs alone = logs({.communicator = Communicator::alone()}), plain = logs({});
  CHECK(std::abs(alone.at("t", "loss") - plain.at("t", "loss")) < 1e-12);
  std::vector<Logs> all(4);
  run_ranks(4, [&](const Communicator& ranks) {
    all[static_cast<std::size_t>(ranks.rank())] = logs({.communicator = ranks});
  });
  for (const Logs& own : all) CHECK(own == alone);
}

TEST_CASE("a prediction of all ranks is that of the model") {
  const Tensor x = uneven_data().batch({1, 5, 0, 8, 3, 11, 2}).inputs[0];
  Sequential model = toy_model();
  Sequential of_steps{GRU{{.units = 4, .return_sequences = true}}, Dense{{.units = 2}}};
  of_steps.build(steps_of_three, Seed{2});
  for (Sequential* each : {&model, &of_steps}) {
    const Tensor expected = each->predict(x, {.batch_invariant = true});
    run_ranks(3, [&](const Communicator& ranks) {
      Sequential own = each->clone();
      const Tensor y =
          predict_ranks(own, {x}, {.communicator = ranks}, {.batch_invariant = true})[0];
      CHECK(y.shape() == expected.shape());
      CHECK(y.to_vector<float>(-7) == expected.to_vector<float>(-7));
    });
  }
}

TEST_CASE("a step by hand in shards is the step of the whole batch") {
  const Dataset data = uneven_data(DType::f64);
  const std::vector<std::int64_t> samples{1, 5, 6, 8, 11, 2, 3};
  const std::vector<std::int64_t> lengths = lengths_of(data, samples);
  const TrainingLoss loss = toy_loss;
  const auto gradient = [](const std::function<void(Sequential&)>& compute) {
    return gradients_by(toy_model(DType::f64), compute);
  };
  const Batch whole = data.batch(samples);
  const auto expected = gradient([&](Sequential& model) { compute_gradients(model, loss, whole); });
  const auto shards = gradient([&](Sequential& model) {
    compute_gradients(model, loss, whole, {.ranks = {.communicator = Communicator::alone()}});
  });
  CHECK(farthest(expected, shards) < 1e-13);
  std::vector<std::vector<double>> by_hand(2);
  run_ranks(2, [&](const Communicator& ranks) {
    by_hand[static_cast<std::size_t>(ranks.rank())] = gradient([&](Sequential& model) {
      ShardedStep step{model.parameters(), {.communicator = ranks}};
      step.each_shard(lengths, [&](const std::vector<std::int64_t>& rows) {
        std::vector<std::int64_t> own;
        for (const auto row : rows) own.push_back(samples[static_cast<std::size_t>(row)]);
        const Batch shard = data.batch(own);
        return loss(shard, {model(shard.inputs[0])});
      });
      step.finish();
    });
  });
  CHECK(by_hand[0] == shards);
  CHECK(by_hand[1] == shards);
}

}  // namespace maskgrad::tests::test_fit_ranks
