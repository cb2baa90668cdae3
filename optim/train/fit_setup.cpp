#include <maskgrad/optim/train/fit_setup.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <maskgrad/autograd/distinct.hpp>
#include <maskgrad/core/io/json.hpp>
#include <maskgrad/optim/distributed/shards.hpp>
#include <maskgrad/optim/factory.hpp>
#include <maskgrad/optim/train/versions.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::string_view in_fit_setup = "fit";

template <class Options>
SortedJson json_of_options(const Options& options) {
  extend::OptionWriter writer;
  Options::each_option(options, writer);
  return parse_own_json(writer.json());
}

void check_options(FitOptions& options) {
  const auto at_least = [](std::string_view name, double value, double least) {
    check::option(in_fit_setup, name, value, least, INFINITY);
  };
  at_least("epochs", static_cast<double>(options.epochs), 0);
  at_least("clip_norm", options.clip_norm, 0);
  at_least("clip_value", options.clip_value, 0);
  at_least("weight_noise", options.weight_noise, 0);
  at_least("micro_batches", static_cast<double>(options.micro_batches), 1);
  at_least("segment", static_cast<double>(options.segment), 0);
  check_ranks(in_fit_setup, options.ranks);
  check_metric_names(in_fit_setup, options.metrics);
  if (!options.early_stopping) return;
  auto& early = *options.early_stopping;
  if (early.monitor.empty()) early.monitor = options.validation ? "val_loss" : "loss";
  at_least("early_stopping.patience", static_cast<double>(early.patience), 1);
}

/// A schedule that grows beyond all numbers, or one of someone's own that turns NaN, is seen here
/// and not after days.
void check_schedule(const FitSetup& setup) {
  const Schedule& schedule = setup.options.schedule;
  if (!schedule) return;
  constexpr std::int64_t most = 1000;  // places that are looked at
  const auto steps =
      static_cast<double>(setup.batches.data().size() > 0 ? setup.batches.size(0) : 0);
  const auto epochs = static_cast<double>(setup.options.epochs);
  const auto places = std::clamp<std::int64_t>(setup.options.epochs, 0, most);
  for (std::int64_t i = 0; i < places; ++i) {
    const double epoch = std::floor(epochs * static_cast<double>(i) / static_cast<double>(places));
    const double step = std::min(epoch * steps, 9e18);
    const double factor = schedule.factor({epoch, static_cast<std::int64_t>(step)});
    const double rate = factor * setup.optimizer.learning_rate();
    if (rate >= 0 && rate < std::numeric_limits<float>::max()) continue;
    fail<OptionError>(in_fit_setup,
                      "the schedule {} gives the learning rate {} in epoch {} (times {}); expected "
                      "finite numbers of 0 or more",
                      schedule.rule()->kind(), rate, epoch + 1, factor);
  }
}

/// What one rank alone writes.
void leave_to_rank_0(FitOptions& options) {
  options.metrics_file.clear();
  options.report.clear();
  options.progress = Progress::off;
}

void add_parameters_of(const Optimizer& optimizer, std::vector<NamedParameter>& all) {
  FirstTime first;
  std::vector<std::string> names;
  for (const auto& named : all) {
    first(named.parameter);
    names.push_back(named.name);
  }
  for (const auto& p : optimizer.parameters()) {
    if (!first(p)) continue;
    all.push_back({p.name(), p});
    names.push_back(p.name());
  }
  names = numbered(std::move(names));
  for (std::size_t i = 0; i < all.size(); ++i) all[i].name = names[i];
}

std::string settings_of(const FitSetup& setup) {
  const FitOptions& options = setup.options;
  const Dataset& data = setup.batches.data();
  const std::string model = setup.model.description();
  SortedJson all{{"optimizer", parse_own_json(describe(setup.optimizer))},
                 {"schedule", parse_own_json(describe(options.schedule))},
                 {"loss", options.loss.name()},
                 {"batches", json_of_options(setup.batches.options())},
                 {"data", {{"sequences", data.size()}, {"steps", data.steps()}}},
                 {"epochs", options.epochs},
                 {"micro_batches", options.micro_batches},
                 {"batch_invariant", options.batch_invariant},
                 {"clip_norm", options.clip_norm},
                 {"clip_value", options.clip_value},
                 {"weight_noise", options.weight_noise},
                 {"seed", options.seed},
                 {"versions", parse_own_json(versions())}};
  if (options.segment != 0) {
    all["segment"] = options.segment;
    all["truncate_gradients"] = options.truncate_gradients;
  }
  if (options.ranks.communicator) {
    const bool fixed = options.ranks.reduction_order == ReductionOrder::fixed;
    all["ranks"] = {{"shards", options.ranks.shards},
                    {"reduction_order", fixed ? "fixed" : "fastest"}};
  }
  all["model"] = model.empty() ? SortedJson() : parse_own_json(model);
  if (setup.model.seed()) all["model_seed"] = setup.model.seed()->value;
  if (options.average) all["average"] = json_of_options(*options.average);
  if (options.early_stopping) all["early_stopping"] = json_of_options(*options.early_stopping);
  all["metrics"] = SortedJson::array();
  for (const auto& metric : options.metrics) all["metrics"].push_back(metric.name());
  return json_text(all);
}

}  // namespace

FitSetup::FitSetup(ModelRef model_, Optimizer& optimizer_, const Batches& batches_,
                   FitOptions options_)
    : model(std::move(model_)),
      optimizer(optimizer_),
      batches(batches_),
      options(std::move(options_)),
      parameters(model.named_parameters()) {
  check_options(options);
  if (options.ranks.communicator.rank() > 0) leave_to_rank_0(options);
  check_schedule(*this);
  if (options.average) average.emplace(model.parameters(), *options.average);
  add_parameters_of(optimizer, parameters);
  settings = settings_of(*this);
}

}  // namespace maskgrad::detail
