#include <maskgrad/optim/train/shard_gradients.hpp>

#include <algorithm>
#include <optional>

#include <maskgrad/core/threads.hpp>
#include <maskgrad/layers/normalization/batch_statistics.hpp>
#include <maskgrad/optim/distributed/sharded_step.hpp>
#include <maskgrad/optim/distributed/shards.hpp>
#include <maskgrad/optim/train/carried_rows.hpp>
#include <maskgrad/optim/train/failure.hpp>
#include <maskgrad/optim/train/segments.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::string_view in_shard_gradients = "train_step";

/// Computes the shards of one step.
class ShardRun {
 public:
  ShardRun(const ModelRef& model, const TrainingLoss& loss, const Batch& batch,
           const StepOptions& options, ShardedStep& step)
      : model_(model), loss_(loss), batch_(batch), options_(options), step_(step) {}

  void run(const data::Share& share) {
    CarriedRows carried(model_, batch_.size());
    std::vector<std::vector<std::int64_t>> rows;
    for (const auto& shard : share.own) rows.push_back(shard.rows);
    const auto compute = [&](std::size_t i) {
      const auto& shard = share.own[i];
      try {
        carried.begin(shard.rows);
        run_shard(shard, share.shards);
        carried.end(shard.rows);
      } catch (const RankError&) {
        throw;
      } catch (const Error& error) {
        throw_again(error, "", sequences_at_fault(error, model_, loss_, shard.batch));
      }
    };
    step_.each_own(rows, compute,
                   [&](std::size_t from, std::size_t to) { carried.turn(from, to); });
  }

 private:
  void run_shard(const data::Share::Shard& shard, std::int64_t shards) {
    const auto rows = std::ssize(shard.rows);
    const auto parts = parts_of_shard(rows, shards, options_);
    std::optional<ShardMeetingScope> apart;  // statistics are each sequence's own
    if (options_.batch_invariant) apart.emplace(nullptr);
    if (options_.segment != 0) return add_segments(model_, loss_, shard.batch, options_, step_);
    if (parts == 1) return run_part(shard.batch);
    for (std::int64_t i = 0; i < parts; ++i) {
      const auto from = extend::shard_begin(rows, parts, i);
      const auto to = extend::shard_begin(rows, parts, i + 1);
      const std::vector<std::int64_t> own(shard.rows.begin() + from, shard.rows.begin() + to);
      step_.begin_shard(own);  // the noise of these rows
      run_part(part_of(shard.batch, from, to));
    }
  }

  void run_part(const Batch& part) {
    const Tensors outputs = model_(part.inputs);
    const Loss made = loss_(part, outputs);
    refuse_not_finite(made);
    if (options_.strict_lengths) refuse_fallen_away(made);
    if (options_.seen) options_.seen(part, outputs, made);
    std::vector<double> numbers;
    if (options_.count) numbers = options_.count(part, outputs, made);
    step_.add_part(made, numbers);
  }

  const ModelRef& model_;
  const TrainingLoss& loss_;
  const Batch& batch_;
  const StepOptions& options_;
  ShardedStep& step_;
};

/// Whether the states of a row go on in the next batch.
bool carries(const ModelRef& model) {
  bool any = false;
  model.visit([&](const LayerView& view) { any = any || view.carried; });
  return any;
}

/// What shards cannot be cut into further.
void check_shards(const ModelRef& model, const StepOptions& options) {
  if (options.micro_batches < 1) {
    fail<OptionError>(in_shard_gradients, "the option .micro_batches is {}; expected 1 or more",
                      options.micro_batches);
  }
  if (!options.batch_invariant && options.micro_batches == 1) return;
  model.visit([&](const LayerView& view) {
    refuse_carried(view, in_shard_gradients, "a shard is computed in parts",
                   "leave out .batch_invariant and .micro_batches");
  });
}

}  // namespace

std::int64_t parts_of_shard(std::int64_t rows, std::int64_t shards, const StepOptions& options) {
  if (options.batch_invariant) return std::max<std::int64_t>(1, rows);
  const auto each = (options.micro_batches + shards - 1) / std::max<std::int64_t>(1, shards);
  return std::clamp<std::int64_t>(each, 1, std::max<std::int64_t>(1, rows));
}

ShardGradients gradients_in_shards(const ModelRef& model, std::vector<Parameter> parameters,
                                   const TrainingLoss& loss, const Batch& batch,
                                   const StepOptions& options) {
  check_ranks(in_shard_gradients, options.ranks);
  check_shards(model, options);
  ShardedStep step(std::move(parameters), options.ranks);
  ShardRun run(model, loss, batch, options, step);
  run.run(batch.share ? *batch.share : share_of(batch, options.ranks, carries(model)));
  if (options.asks_to_end && options.asks_to_end()) step.ask_to_end();
  const auto total = step.finish(batch.size());
  if (options.counted) {
    for (const auto& numbers : step.numbers()) options.counted(numbers);
  }
  return {total, step.asked_to_end()};
}

}  // namespace maskgrad::detail
