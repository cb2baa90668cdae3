#include <doctest/doctest.h>

#include "distributed/runs.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_synchronized {
namespace {

/// Of a statistic in front, between, and behind what crosses steps. A shift in front of one would
/// get a gradient of rounding alone, of which Adam makes whole steps.
Sequential normalized(DType dtype, bool synchronized = true, bool stateful = false) {
  const BatchNormalizationOptions options{.momentum = 0.8, .synchronized = synchronized};
  BatchNormalizationOptions first = options;
  first.center = false;
  Sequential model{
      BatchNormalization{first},   Dense{{.units = 5, .use_bias = false}},
      BatchNormalization{options}, GRU{{.units = 4, .dropout = 0.1, .stateful = stateful}},
      BatchNormalization{options}, Dense{{.units = 2}}};
  model.build(
      dtype == DType::f64 ? Spec::f64({any, any, 3}).masked(2) : Spec::f32({any, any, 3}).masked(2),
      Seed{1});
  return model;
}

Training training_of(DType dtype) {
  return {.dtype = dtype, .model = [dtype] { return normalized(dtype); }};
}

/// Two terms with counts of their own.
Loss two_terms(const Batch& batch, const Tensors& outputs) {
  return sparse_categorical_crossentropy(batch.target, outputs[0], {.from_logits = true}) +
         0.1 * mean_squared_error(zeros(outputs[0].shape(), outputs[0].dtype()), outputs[0]);
}

}  // namespace

TEST_CASE("synchronized statistics are those of the whole batch") {
  const Training training = training_of(DType::f64);
  const Trained whole = training.run({});
  const Trained shards = training.run({.communicator = Communicator::alone()});
  CHECK(farthest(whole.weights, shards.weights) < 1e-9);
  CHECK(farthest(whole.logs, shards.logs) < 1e-9);
  const Training own{.dtype = DType::f64, .model = [] { return normalized(DType::f64, false); }};
  CHECK(own.run({}) == whole);
  CHECK(farthest(own.run({.communicator = Communicator::alone()}).weights, whole.weights) > 1e-3);
  const auto fastest =
      on_ranks(training, 2, {.reduction_order = ReductionOrder::fastest})[1].weights;
  CHECK(farthest(whole.weights, fastest) < 1e-8);
}

TEST_CASE("synchronized statistics have the same bits on 1, 2, 4 and 8 ranks") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    CAPTURE(name(dtype));
    const Training training = training_of(dtype);
    const Trained alone = training.run({.communicator = Communicator::alone()});
    for (const int size : {2, 4, 8}) {
      CAPTURE(size);
      for (const Trained& rank : on_ranks(training, size)) CHECK(rank == alone);
    }
    for (const int size : {3, 5}) {
      CAPTURE(size);
      const auto all = on_ranks(training, size);
      CHECK(all[0] == all[1]);
      CHECK(farthest(all[0].weights, alone.weights) < (dtype == DType::f32 ? 1e-5 : 1e-9));
    }
  }
}

TEST_CASE("synchronized statistics where ranks have no rows, parts, states, and two terms") {
  const auto same = [](Training training) {
    const Trained alone = training.run({.communicator = Communicator::alone()});
    for (const int size : {2, 8}) {
      CAPTURE(size);
      CHECK(on_ranks(training, size)[1] == alone);
    }
  };
  Training training = training_of(DType::f32);
  training.data = toy_data({3, 0, 5, 9, 1});
  training.batches = {.batch_size = 2, .seed = 1};
  same(training);
  training.data = toy_data({0, 0, 0, 4, 0, 0, 1});
  same(training);
  training = training_of(DType::f32);
  for (const auto& change : std::vector<std::function<void(FitOptions&)>>{
           [](FitOptions& o) { o.micro_batches = 24; },
           [](FitOptions& o) { o.batch_invariant = true; },
           [](FitOptions& o) { o.detect_anomaly = true; },
           [](FitOptions& o) { o.loss = two_terms; }}) {
    training.change = change;
    same(training);
  }
  training = {.batches = {.batch_size = 8, .seed = 3, .window = 30},
              .model = [] { return normalized(DType::f32, true, true); }};
  same(training);
}

TEST_CASE("in a step by hand shards meet as in fit, and in pieces each is by itself") {
  const Dataset data = uneven_data(DType::f64);
  const std::vector<std::int64_t> samples{1, 5, 6, 8, 11, 2, 3};
  const std::vector<std::int64_t> lengths = lengths_of(data, samples);
  const TrainingLoss loss = toy_loss;
  const auto gradients = [](const std::function<void(Sequential&)>& compute) {
    return gradients_by(normalized(DType::f64), compute);
  };
  const Batch whole = data.batch(samples);
  const auto expected =
      gradients([&](Sequential& model) { compute_gradients(model, loss, whole); });
  run_ranks(3, [&](const Communicator& ranks) {
    const auto shards = gradients([&](Sequential& model) {
      ShardedStep step{model.parameters(), {.communicator = ranks, .shards = 4}};
      step.each_shard(lengths, [&](const std::vector<std::int64_t>& rows) {
        std::vector<std::int64_t> own;
        for (const auto row : rows) own.push_back(samples[static_cast<std::size_t>(row)]);
        const Batch shard = data.batch(own);
        return loss(shard, {model(shard.inputs[0])});
      });
      step.finish();
    });
    CHECK(farthest(expected, shards) < 1e-11);
  });
}

TEST_CASE("what a shard throws while the others wait ends all ranks") {
  for (const std::int64_t at : {2, 5, 9}) {
    std::vector<std::string> texts(4);
    const auto run = [&] {
      run_ranks(4, [&](const Communicator& ranks) {
        Training training = training_of(DType::f32);
        training.change = [&](FitOptions& o) {
          o.loss = TrainingLoss([&, calls = 0](const Batch& b, const Tensors& outputs) mutable {
            if (ranks.rank() == 2 && ++calls == at) fail<ShapeError>("own_loss", "the loss fell");
            return sparse_categorical_crossentropy(b.target, outputs[0], {.from_logits = true});
          });
        };
        try {
          training.run({.communicator = ranks});
        } catch (const std::exception& error) {
          texts[static_cast<std::size_t>(ranks.rank())] = error.what();
          throw;
        }
      });
    };
    CHECK(throws<ShapeError>(run, "the loss fell"));
    for (const auto& text : texts) CHECK(text.find("the loss fell") != std::string::npos);
  }
}

TEST_CASE("shards that do not make the same calls are told so") {
  const Dataset data = uneven_data();
  Sequential model = normalized(DType::f32);
  BatchNormalization extra{{.name = "extra"}};
  build(extra, steps_of_three);
  const TrainingLoss loss = toy_loss;
  const auto run = [&] {
    ShardedStep step{model.parameters(), {.communicator = Communicator::alone(), .shards = 2}};
    bool first = true;
    step.each_own({{1}, {2}}, [&](std::size_t shard) {
      const Batch own = data.batch({static_cast<std::int64_t>(shard) + 1});
      const Tensor x = std::exchange(first, false) ? extra(own.inputs[0]) : own.inputs[0];
      step.add_part(loss(own, {model(x)}));
    });
  };
  CHECK(throws<GradError>(run, "all shards of a step are to make the same calls"));
}

TEST_CASE("a step of several terms sends its gradient once") {
  const auto sent = [](const TrainingLoss& loss) {
    std::vector<double> bytes(4);
    run_ranks(4, [&](const Communicator& ranks) {
      Sequential model{GRU{{.units = 40}}, Dense{{.units = 2}}};
      model.build(Spec::f32({any, any, 3}).masked(2), Seed{1});
      SGD sgd{model.parameters(), {.learning_rate = 0.1}};
      train_step(model, sgd, loss, uneven_data().batch({1, 2, 3, 4, 5, 7, 8, 9}),
                 {.ranks = {.communicator = ranks}});
      double all = 0;
      for (const auto& p : model.parameters()) all += 4 * static_cast<double>(p.shape().count());
      bytes[static_cast<std::size_t>(ranks.rank())] = ranks.traffic().bytes / all;
    });
    return *std::max_element(bytes.begin(), bytes.end());
  };
  CHECK(sent("sparse_categorical_crossentropy") < 1.6);
  CHECK(sent(two_terms) < 1.6);
}

}  // namespace maskgrad::tests::test_synchronized
