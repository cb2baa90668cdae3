#include <doctest/doctest.h>

#include "distributed/runs.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_segments_ranks {
namespace {

/// A target at each step, which the model is to give.
Dataset steps_data(DType dtype) {
  std::vector<std::vector<double>> values, targets;
  std::uint64_t at = 0;
  for (const std::int64_t length : {23, 0, 9, 40, 3, 17, 1, 31, 0, 12, 26}) {
    auto& x = values.emplace_back();
    auto& y = targets.emplace_back();
    for (std::int64_t i = 0; i < 3 * length; ++i) {
      x.push_back(2 * random::unit_at(Seed{5}, at++) - 1);
      if (i % 3 == 0) y.push_back(x.back() > 0 ? 1 : -1);
    }
  }
  return Dataset::from_memory({cast(from_sequences(values, {3}), dtype)},
                              cast(from_sequences(targets, {1}), dtype));
}

Sequential steps_model(DType dtype) {
  Sequential model{GRU{{.units = 5, .dropout = 0.2, .return_sequences = true}},
                   Dropout{{.rate = 0.3}}, LSTM{{.units = 4, .return_sequences = true}},
                   Dense{{.units = 1}}};
  model.build(
      dtype == DType::f64 ? Spec::f64({any, any, 3}).masked(2) : Spec::f32({any, any, 3}).masked(2),
      Seed{1});
  return model;
}

Loss two_terms_of_steps(const Batch& batch, const Tensors& outputs) {
  return mean_squared_error(batch.target, outputs[0]) +
         0.5 * mean_absolute_error(batch.target, outputs[0]);
}

std::vector<double> trained(DType dtype, FitOptions options) {
  Sequential model = steps_model(dtype);
  SGD sgd{model.parameters(), {.learning_rate = 0.05, .momentum = 0.9}};
  options.epochs = 2;
  options.seed = 4;
  options.metrics = {"MeanAbsoluteError"};
  options.progress = Progress::off;
  const auto history = fit(model, sgd, Batches{steps_data(dtype), {.batch_size = 6}}, options);
  auto all = weights_of(model);
  for (const auto& epoch : history.epochs) {
    all.push_back(epoch.logs.at("test", "loss"));
    all.push_back(epoch.logs.at("test", "mean_absolute_error"));
  }
  return all;
}

}  // namespace

TEST_CASE("segments under ranks train as the whole, and with the same bits on any number") {
  for (const bool two : {false, true}) {
    const TrainingLoss loss = two ? TrainingLoss(two_terms_of_steps) : "mean_squared_error";
    const RankOptions one{.communicator = Communicator::alone()};
    const auto whole = trained(DType::f64, {.loss = loss});
    const auto close = trained(DType::f64, {.loss = loss, .segment = 7, .ranks = one});
    REQUIRE(close.size() == whole.size());
    for (std::size_t i = 0; i < whole.size(); ++i) CHECK(std::abs(whole[i] - close[i]) < 1e-11);
    for (const bool truncate : {false, true}) {
      const auto on = [&](const Communicator& ranks) {
        return trained(DType::f32, {.loss = loss,
                                    .segment = 5,
                                    .truncate_gradients = truncate,
                                    .ranks = {.communicator = ranks}});
      };
      const auto alone = on(Communicator::alone());
      for (const int size : {2, 4, 8}) {
        std::vector<std::vector<double>> all(static_cast<std::size_t>(size));
        run_ranks(size, [&](const Communicator& ranks) {
          all[static_cast<std::size_t>(ranks.rank())] = on(ranks);
        });
        CAPTURE(size);
        for (const auto& rank : all) CHECK(rank == alone);
      }
    }
  }
}

TEST_CASE("segments under ranks refuse what they refuse alone") {
  FitOptions options{
      .loss = "mean_squared_error", .segment = 5, .ranks = {.communicator = Communicator::alone()}};
  options.micro_batches = 2;
  CHECK(throws<OptionError>([&] { trained(DType::f32, options); },
                            "the option .segment is 5 with .micro_batches 2"));
  options.micro_batches = 1;
  options.batch_invariant = true;
  CHECK(throws<OptionError>([&] { trained(DType::f32, options); }, "expected one of them"));
}

}  // namespace maskgrad::tests::test_segments_ranks
