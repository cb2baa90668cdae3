#include "hostile.hpp"

namespace maskgrad::tests {
namespace {

Sequential& built() {
  static Sequential model = [] {
    Sequential m{Dense{{.units = 3}}};
    m.build(Spec::f32({any, any, 3}));
    return m;
  }();
  return model;
}

Calls optimizer_calls() {
  Calls all;
  for (const auto name : optimizer_names()) {
    for (const auto& parameters : Hostile<std::vector<Parameter>>::values()) {
      all.push_back([=] { make_optimizer(name, parameters); });
      all.push_back([=] {
        const auto made = make_optimizer(name, parameters);
        made->step();
        made->set_state({});
      });
    }
    for (const double rate : Hostile<double>::values()) {
      all.push_back([=] { make_optimizer(name, built().parameters())->set_learning_rate(rate); });
    }
    all.push_back([=] {
      make_optimizer(name, built().parameters())->spare_from_decay({});
      make_optimizer(name, built().parameters())->step();
    });
  }
  for (const auto name : Hostile<std::string_view>::values()) {
    for (const auto json : Hostile<std::string_view>::values()) {
      all.push_back([=] { make_optimizer(name, {}, json); });
    }
  }
  return all;
}

Calls dataset_calls() {
  return calls_of<Dataset, std::int64_t>([](const Dataset& data, std::int64_t n) {
    const std::vector<std::function<void()>> methods{
        [&] { data.length(n); },
        [&] { data.steps(); },
        [&] { data.batch({n}); },
        [&] { data.batch({}); },
        [&] { data.subset({}); },
        [&] { data.subset({n}); },
        [&] { data.truncated(n); },
        [&] { data.pieces(n); },
        [&] { data.map({}); },
        [&] { data.map([](Batch) { return Batch(); }).batch({0}); },
        [&] { data.next_step(n); },
        [&] { data.next_step(n).batch({0}); },
        [&] { data.part(""); },
        [&] { data.part(n); },
        [&] { data.part_names(); },
        [&] { data.class_names(); },
        [&] { data.split({}); },
        [&] { data.split({.fractions = {}}); },
        [&] { data.split({.stratified = true}); },
        [&] { data.folds(n); },
        [&] { data.describe(); },
        [&] { Standardizer::fit(data); },
        [&] { Standardizer::fit(data, {.input = n}); },
        [&] { Batches(data).describe(); },
        [&] { Batches(data, {.batch_size = n}).size(n); },
        [&] { Batches(data, {.max_rows = n, .bucket = true}).epoch(0, n); },
        [&] { Batches(data, {.window = n}).size(); },
        [&] { Batches(data, {.prefetch = n}).size(); },
        [&] {
          for (const Batch& b : Batches(data, {.prefetch = 0}).epoch(0)) (void)b;
        },
        [&] { Dataset::from_callback({}); },
        [&] { Dataset::from_callback({.lengths = {n}, .sample = {}}); },
        [&] {
          Dataset::from_callback(
              {.lengths = {1}, .sample = [](std::int64_t) { return SequenceData{}; }})
              .batch({0});
        },
        [&] { Dataset::from_memory({}); },
        [&] { Dataset::from_memory({Tensor()}); },
        [&] { Dataset::from_memory({ones({2})}, ones({3})); },
    };
    for (const auto& method : methods) {
      try {
        method();
      } catch (const Error&) {
      }
    }
  });
}

Calls fit_calls() {
  const auto with = [](const Dataset& data, const std::function<void(FitOptions&)>& change) {
    return [=] {
      Adam adam{built().parameters()};
      FitOptions options{.loss = "mean_squared_error", .progress = Progress::off};
      change(options);
      fit(built(), adam, Batches{data}, std::move(options));
    };
  };
  Calls all;
  for (const auto& data : Hostile<Dataset>::values()) {
    all.push_back(with(data, [](auto&) {}));
    all.push_back(with(data, [](auto& o) { o.epochs = 0; }));
    all.push_back(with(data, [](auto& o) { o.epochs = -1; }));
    all.push_back(with(data, [](auto& o) { o.metrics = {"", "\xff"}; }));
    all.push_back(with(data, [](auto& o) { o.validation = Batches{Dataset()}; }));
    all.push_back(with(data, [](auto& o) { o.output = nullptr; }));
    all.push_back(with(data, [](auto& o) {
      o.output = nullptr;
      o.progress = Progress::lines;
    }));
    all.push_back(
        with(data, [](auto& o) { o.early_stopping = EarlyStoppingOptions{.patience = 0}; }));
    all.push_back(with(data, [](auto& o) { o.checkpoints = {.folder = "/proc/none"}; }));
    all.push_back(with(data, [](auto& o) {
      o.loss = [](const Tensor&, const Tensor&) { return mean_squared_error(Tensor(), Tensor()); };
    }));
  }
  using Call = std::function<Loss(const Tensor&, const Tensor&)>;
  all.push_back([] { TrainingLoss{Call()}; });
  all.push_back([] { TrainingLoss{TrainingLoss::Call()}; });
  all.push_back([] { TrainingLoss{LossFunction()}; });
  all.push_back([] { TrainingLoss{static_cast<const char*>(nullptr)}; });
  all.push_back([] { TrainingMetric{static_cast<const char*>(nullptr)}; });
  all.push_back([] { TrainingMetric{""}; });
  return all;
}

Calls step_calls() {
  return calls_of<Batch, std::int64_t>([](const Batch& batch, std::int64_t n) {
    SGD sgd{built().parameters()};
    const std::vector<std::function<void()>> methods{
        [&] { detail::part_of(batch, n, n); },
        [&] { detail::part_of(batch, 0, n); },
        [&] { detail::count_rows(batch); },
        [&] { compute_gradients(built(), "mean_squared_error", batch); },
        [&] { compute_gradients(built(), "mean_squared_error", batch, {.micro_batches = n}); },
        [&] { train_step(built(), sgd, "mean_squared_error", batch); },
        [&] { Standardizer(Tensor(), Tensor()).apply(batch); },
        [&] { Standardizer(zeros({3}), ones({3}), {.input = n}).apply(batch); },
    };
    for (const auto& method : methods) {
      try {
        method();
      } catch (const Error&) {
      }
    }
  });
}

}  // namespace

std::vector<Row> training_rows() {
  return {
      {"make_optimizer", optimizer_calls},
      {"optimizer_from",
       [] {
         return calls_of<std::string_view, std::vector<Parameter>>(
             [](auto json, const auto& parameters) { optimizer_from(json, parameters); });
       }},
      {"optimizer_names", [] { return calls(optimizer_names); }},
      {"global_norm", [] { return calls(global_norm); }},
      {"clip_by_global_norm", [] { return calls(clip_by_global_norm); }},
      {"clip_by_value", [] { return calls(clip_by_value); }},
      {"Dataset", dataset_calls},
      {"read_dataset",
       [] {
         return calls_of<std::filesystem::path>([](const auto& path) { read_dataset(path); });
       }},
      {"is_higher_better", [] { return calls(detail::is_higher_better); }},
      {"is_bias_or_norm", [] { return calls(is_bias_or_norm); }},
      {"make_schedule", [] { return calls(make_schedule); }},
      {"schedule_names", [] { return calls(schedule_names); }},
      {"schedule_from", [] { return calls(schedule_from); }},
      {"fit", fit_calls},
      {"train_step", step_calls},
      {"compute_gradients", {}, "called in train_step"},
      {"part_of", {}, "called in train_step"},
      {"count_rows", {}, "called in train_step"},
      {"evaluate",
       [] {
         return calls_of<Dataset>([](const Dataset& data) {
           evaluate(built(), Batches(data), "mean_squared_error", {"MeanAbsoluteError"});
         });
       }},
      {"report_html",
       [] {
         History one;
         one.settings = "\xff[[";
         one.epochs.emplace_back();
         return Calls{[] { report_html(History()); }, [one] { report_html(one); },
                      [] { History().last("loss"); }, [] { History().values(""); }};
       }},
      {"write_report", [] { return Calls{[] { write_report("", History()); }}; }},
      {"forecast",
       [] {
         return calls_of<Dataset, std::int64_t, double>(
             [](const Dataset& data, std::int64_t n, double bandwidth) {
               SGD sgd{built().parameters()};
               forecast(built(), sgd, Batches(data), "mean_squared_error",
                        {.ranks = {n}, .network = {.bandwidth = bandwidth}});
             });
       }},
      {"predict_ranks",
       [] {
         return calls_of<Tensor, std::int64_t>([](const Tensor& x, std::int64_t shards) {
           predict_ranks(built(), {x}, {.communicator = Communicator::alone(), .shards = shards});
         });
       }},
      {"launched_ranks", [] { return calls(launched_ranks); }},
      {"run_ranks",
       [] {
         return calls_of<int, double>([](int ranks, double deadline) {
           run_ranks(std::min(ranks, 3), {}, {.deadline = deadline});
           run_ranks(std::min(ranks, 3), [](const Communicator& all) { all.barrier(); },
                     {.deadline = deadline});
         });
       }},
      {"merge_ranks",
       [] {
         return Calls{[] {
           Mean mean;
           merge_ranks(mean, {});
         }};
       }},
      {"Communicator",
       [] {
         return calls_of<int, std::string>([](int from, std::string text) {
           for (const auto& all : {Communicator(), Communicator::alone()}) {
             all.sum(std::span<double>());
             all.sum(std::span<float>());
             all.max({});
             all.barrier();
             all.gather(text);
             all.abort(text);
             all.traffic();
             all.broadcast(text, from);
           }
         });
       }},
      {"ShardedStep",
       [] {
         return calls_of<std::vector<Parameter>, std::int64_t>([](const auto& all, std::int64_t n) {
           ShardedStep step(all, {.communicator = Communicator::alone(), .shards = n});
           step.each_shard({}, {});
           step.finish(n);
           step.each_shard({n}, {});
         });
       }},
      {"step_in_parts",
       [] {
         return calls_of<std::vector<Parameter>>([](const auto& parameters) {
           SGD sgd(parameters);
           step_in_parts(sgd, Communicator::alone());
         });
       }},
      {"gather_optimizer",
       [] {
         return calls_of<std::vector<Parameter>>([](const auto& parameters) {
           SGD sgd(parameters);
           gather_optimizer(sgd, Communicator::alone());
         });
       }},
      {"MovingAverage",
       [] {
         return calls_of<std::vector<Parameter>>([](const auto& parameters) {
           MovingAverage average(parameters);
           average.update();
           average.swap();
         });
       }},
      {"WeightNoise",
       [] {
         return calls_of<std::vector<Parameter>, double>([](const auto& parameters, double stddev) {
           const WeightNoise noise(parameters, stddev, {}, 0);
         });
       }},
      {"Accumulate",
       [] {
         return calls_of<std::vector<Parameter>>([](const auto& parameters) {
           Accumulate(parameters).finish();
           Accumulate(parameters).add(mean_squared_error(ones({2}), ones({2})));
         });
       }},
  };
}

}  // namespace maskgrad::tests
