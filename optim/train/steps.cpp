#include <maskgrad/optim/train/steps.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/core/quoted.hpp>
#include <maskgrad/core/threads.hpp>
#include <maskgrad/layers/recurrent/carried_state.hpp>
#include <maskgrad/optim/clip.hpp>
#include <maskgrad/optim/distributed/agreement.hpp>
#include <maskgrad/optim/distributed/shard_optimizer.hpp>
#include <maskgrad/optim/train/evaluate_shards.hpp>
#include <maskgrad/optim/train/failure.hpp>
#include <maskgrad/optim/train/segments.hpp>
#include <maskgrad/optim/train/shard_gradients.hpp>
#include <maskgrad/optim/weight_noise.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view in_steps = "train_step";

/// Lets go of all gradients at its end.
class ClearGradients {
 public:
  explicit ClearGradients(const std::vector<Parameter>& parameters) : parameters_(parameters) {}
  ~ClearGradients() {
    for (const auto& p : parameters_) p.clear_grad();
  }
  ClearGradients(const ClearGradients&) = delete;
  ClearGradients& operator=(const ClearGradients&) = delete;

 private:
  const std::vector<Parameter>& parameters_;
};

void refuse_stateful(const detail::ModelRef& model, std::string_view option,
                     std::string_view instead) {
  model.visit([&](const detail::LayerView& view) {
    detail::refuse_carried(view, in_steps, option, instead);
  });
}

/// How many parts the batch is computed in.
std::int64_t parts_of(const detail::ModelRef& model, const Batch& batch,
                      const StepOptions& options) {
  const auto asked = options.micro_batches;
  if (asked < 1) {
    fail<OptionError>(in_steps, "the option .micro_batches is {}; expected 1 or more", asked);
  }
  if (options.batch_invariant) {
    refuse_stateful(model, "batch_invariant is true", "use batches of 1");
    return std::max<std::int64_t>(1, batch.size());
  }
  if (asked > 1) {
    refuse_stateful(model, fmt::format("micro_batches is {}", asked), "use 1, or smaller batches");
  }
  return std::clamp<std::int64_t>(batch.size(), 1, asked);
}

Loss forward(const detail::ModelRef& model, const TrainingLoss& loss, const Batch& batch,
             const StepOptions& options) {
  const Tensors outputs = model(batch.inputs);
  Loss made = loss(batch, outputs);
  detail::refuse_not_finite(made);
  if (options.strict_lengths) detail::refuse_fallen_away(made);
  if (options.seen) options.seen(batch, outputs, made);
  return made;
}

/// OptionError where gradients are there, and all are of parameters that the optimizer has not.
void check_reached(const detail::ModelRef& model, const Optimizer& optimizer) {
  const auto has_gradient = [](const Parameter& p) {
    return p.trainable() && p.grad_value().defined();
  };
  const auto& own = optimizer.parameters();
  if (std::any_of(own.begin(), own.end(), has_gradient)) return;
  const auto& of_model = model.parameters();
  const auto other = std::find_if(of_model.begin(), of_model.end(), has_gradient);
  if (other == of_model.end()) return;
  fail<OptionError>(in_steps,
                    "the optimizer {} has none of the parameters that got a gradient, such as the "
                    "model's '{}': it was made with those of another model, or before this one was "
                    "built or cloned. Make it with this model's parameters()",
                    optimizer.kind(), other->name());
}

/// Adds a batch to what was counted.
void count_batch(const detail::ModelRef& model, const Batch& batch, const TrainingLoss& loss,
                 std::vector<TrainingMetric>& metrics, const PredictOptions& options,
                 const std::function<void(const Loss&)>& seen, detail::LossTotal& total) {
  model.begin(batch);
  const auto parts = options.batch_invariant ? std::max<std::int64_t>(1, batch.size()) : 1;
  for (std::int64_t i = 0; i < parts; ++i) {
    const Batch part = parts == 1 ? batch : detail::part_of(batch, i, i + 1);
    const Tensors outputs = model(part.inputs);
    const Loss made = loss(part, outputs);
    if (seen) seen(made);
    total.add(made);
    for (auto& metric : metrics) metric.update(part, outputs);
  }
  total.end_batch();
}

}  // namespace

Batch detail::part_of(const Batch& batch, std::int64_t from, std::int64_t to) {
  if (from < 0 || to < from || to > batch.size()) {
    fail<IndexError>("part_of",
                     "rows {} to {} of a batch of {}; expected 0 <= from <= to <= {}. A batch made "
                     "by hand has as many .samples as rows",
                     from, to, batch.size(), batch.size());
  }
  const NoGrad no_grad;
  const auto cut = [&](const Tensor& x) { return x.defined() ? slice(x, 0, from, to) : x; };
  Batch part;
  for (const auto& x : batch.inputs) part.inputs.push_back(cut(x));
  part.target = cut(batch.target);
  part.weight = cut(batch.weight);
  part.samples.assign(batch.samples.begin() + from, batch.samples.begin() + to);
  for (const auto row : batch.begins) {
    if (row >= from && row < to) part.begins.push_back(row - from);
  }
  return part;
}

Accumulate::Total compute_gradients(const detail::ModelRef& model, const TrainingLoss& loss,
                                    const Batch& batch, const StepOptions& options) {
  if (options.ranks.communicator) {
    return detail::or_abort(options.ranks.communicator, [&] {
      return detail::gradients_in_shards(model, model.parameters(), loss, batch, options).total;
    });
  }
  if (options.segment != 0) return detail::gradients_in_segments(model, loss, batch, options);
  const auto parts = parts_of(model, batch, options);
  const NoisePosition begin = detail::noise_position_of(model.parameters());
  if (parts == 1 && !options.batch_invariant) {
    const NoiseStep step(begin);
    const Loss whole = forward(model, loss, batch, options);
    whole.backward();
    return {whole.value(), whole.count()};
  }
  Accumulate sums(model.parameters());
  for (std::int64_t i = 0; i < parts; ++i) {
    const auto from = extend::shard_begin(batch.size(), parts, i);
    const auto to = extend::shard_begin(batch.size(), parts, i + 1);
    const Batch part = detail::part_of(batch, from, to);
    const NoiseStep step({begin.step, begin.sequence + from, begin.calls});
    sums.add(forward(model, loss, part, options));
  }
  return sums.finish();
}

TrainStep train_step(detail::ModelRef model, Optimizer& optimizer, const TrainingLoss& loss,
                     const Batch& batch, const StepOptions& options) {
  return detail::or_abort(options.ranks.communicator, [&] {
    return detail::make_train_step(model, optimizer, loss, batch, options);
  });
}

TrainStep detail::make_train_step(const ModelRef& model, Optimizer& optimizer,
                                  const TrainingLoss& loss, const Batch& batch,
                                  const StepOptions& options) {
  // Those of the model that the optimizer does not train get gradients too.
  const ClearGradients clear(optimizer.parameters()), clear_others(model.parameters());
  const NoiseStep step(detail::noise_position_of(optimizer.parameters()));
  model.begin(batch);
  const auto computed = [&] {
    const WeightNoise noise(optimizer.parameters(), options.weight_noise,
                            options.seed.of("weight_noise"), noise_position().step);
    if (!options.ranks.communicator) {
      return ShardGradients{compute_gradients(model, loss, batch, options)};
    }
    std::vector<Parameter> all = model.parameters();
    all.insert(all.end(), optimizer.parameters().begin(), optimizer.parameters().end());
    return gradients_in_shards(model, std::move(all), loss, batch, options);
  }();
  const auto& total = computed.total;
  check_reached(model, optimizer);
  if (options.before_update) {
    options.before_update(
        {optimizer.parameters(), total.value, total.count, 0, optimizer.steps() + 1});
  }
  if (options.clip_value != 0) clip_by_value(optimizer.parameters(), options.clip_value);
  if (options.clip_norm != 0) clip_by_global_norm(optimizer.parameters(), options.clip_norm);
  const bool in_parts = options.ranks.communicator && options.ranks.shard_optimizer;
  const auto report =
      in_parts ? step_in_parts(optimizer, options.ranks.communicator) : optimizer.step();
  return {total.value, total.count, report, computed.asked_to_end};
}

Logs evaluate(detail::ModelRef model, const Batches& batches, const TrainingLoss& loss,
              std::vector<TrainingMetric> metrics, const PredictOptions& options,
              const RankOptions& ranks) {
  return detail::or_abort(ranks.communicator, [&] {
    return *detail::evaluate_unless(
        model, batches, loss, metrics, options, [] { return false; }, {}, ranks);
  });
}

namespace detail {

void refuse_not_finite(const Loss& loss) {
  const double value = loss.value();
  if (std::isfinite(value)) return;
  fail<GradError>(in_steps,
                  "the loss is {} ({}); nothing of this step was applied. Try a lower learning "
                  "rate or clip_norm; detect_anomaly finds the operation where it began",
                  std::isnan(value) ? "nan"
                  : value > 0       ? "inf"
                                    : "-inf",
                  loss.str());
}

void refuse_fallen_away(const Loss& loss) {
  if (loss.fallen_away() == 0) return;
  fail<MaskError>(in_steps,
                  "{} positions fell away, as the masks of target and prediction differ ({}); give "
                  "both the same lengths, or leave out .strict_lengths",
                  loss.fallen_away(), loss.str());
}

void check_metric_names(std::string_view where, const std::vector<TrainingMetric>& metrics) {
  // What logs and the metrics file hold besides, and what validation adds.
  std::vector<std::string> taken = {
      "epoch",          "steps",    "skipped",       "rows",    "padding",
      "loss",           "val_loss", "learning_rate", "seconds", "rows_per_second",
      "padding_skipped"};
  for (const auto& metric : metrics) {
    const auto& name = metric.name();
    if (name.empty()) {
      fail<OptionError>(where, "a metric has an empty name; give it one: {{\"name\", metric}}");
    }
    for (const auto& used : {name, "val_" + name}) {
      if (std::find(taken.begin(), taken.end(), used) == taken.end()) continue;
      fail<OptionError>(where,
                        "the metric {} would stand where {} stands already; give it a name of its "
                        "own: {{\"name\", metric}}",
                        in_quotes(name), in_quotes(used));
    }
    taken.push_back(name);
    taken.push_back("val_" + name);
  }
}

std::optional<Logs> evaluate_unless(const ModelRef& model, const Batches& batches,
                                    const TrainingLoss& loss, std::vector<TrainingMetric>& metrics,
                                    const PredictOptions& options,
                                    const std::function<bool()>& stop,
                                    const std::function<void(const Loss&)>& seen,
                                    const RankOptions& ranks) {
  if (options.batch_invariant) refuse_stateful(model, "batch_invariant is true", "leave it out");
  check_metric_names("evaluate", metrics);
  const Evaluate evaluate;
  LossTotal total;
  for (auto& metric : metrics) metric.reset();
  model.reset_states();
  std::int64_t number = 0;
  bool ended = false;
  for (const Batch& batch : batches.epoch(0, 0, ranks)) {
    ++number;
    try {
      if (batch.share) {
        ended = evaluate_shards({model, loss, metrics, options, seen, ranks.communicator}, batch,
                                stop(), total);
      } else {
        count_batch(model, batch, loss, metrics, options, seen, total);
        ended = stop();
      }
    } catch (const Error& error) {
      throw_again(error, fmt::format("evaluate: batch {}: ", number),
                  batch.share ? "" : sequences_at_fault(error, model, loss, batch));
    }
    if (ended) return {};
  }
  model.reset_states();
  Logs logs;
  logs.set("loss", total.value());
  for (const auto& metric : metrics) logs.set(metric.name(), metric.value());
  return logs;
}

}  // namespace detail
}  // namespace maskgrad
