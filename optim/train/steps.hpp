#pragma once

#include <functional>
#include <optional>
#include <vector>

#include <maskgrad/optim/accumulate.hpp>
#include <maskgrad/optim/data/batches.hpp>
#include <maskgrad/optim/distributed/rank_options.hpp>
#include <maskgrad/optim/logs.hpp>
#include <maskgrad/optim/optimizer.hpp>
#include <maskgrad/optim/train/model_ref.hpp>
#include <maskgrad/optim/train/objective.hpp>

namespace maskgrad {

namespace detail {

/// Rows `from` to `to` of a batch, as a batch.
/// Example:  const mg::Batch half = mg::detail::part_of(batch, 0, 2);  // its input is [2, 5, 3]
Batch part_of(const Batch& batch, std::int64_t from, std::int64_t to);

/// Valid rows of a batch's first input, and its rows of padding. A row is a step, or a sequence
/// where the input has one value a sequence.
/// Example:  mg::detail::count_rows(batch).valid;  // 13
struct RowCount {
  std::int64_t valid = 0, padding = 0;
};
RowCount count_rows(const Batch& batch);

}  // namespace detail

/// What stands between the gradients of a step and the optimizer's update. A hook there may read
/// the gradients, and put others in their place by set_grad: of these the update is made.
struct UpdateEvent {
  const std::vector<Parameter>& parameters;  ///< the optimizer's, with the gradients of the batch
  double loss = 0, count = 0;                ///< of the batch
  std::int64_t epoch = 0;                    ///< from 1; 0 in a loop by hand
  /// From 1, of all epochs; in a loop by hand those before it are the ones that were applied.
  std::int64_t step = 0;
};

struct StepOptions {
  /// Parts that the batch is split into, one after the other in memory: at most one a sequence. The
  /// gradient is that of the whole (law 5), except under batch statistics.
  std::int64_t micro_batches = 1;
  /// A part for each sequence, so that what one adds to the gradient is bit by bit the same alone
  /// and in any batch, but for what goes by its place: noise. Gradients are added in the batch's
  /// order. Statistics over the batch are then each sequence's own.
  bool batch_invariant = false;
  /// Valid steps of each sequence that are in memory at a time, 0: all. The gradient is that of the
  /// whole, for every model that streams (see Stream) and losses that add up over steps.
  std::int64_t segment = 0;
  bool truncate_gradients = false;  ///< each segment's own: nothing flows back into the one before
  bool strict_lengths = false;      ///< refuses positions that fall away, see Loss
  double clip_norm = 0;             ///< see clip_by_global_norm; 0: not clipped
  double clip_value = 0;            ///< see clip_by_value, which comes first; 0: not clipped
  double weight_noise = 0;          ///< standard deviation; see WeightNoise
  Seed seed = {};                   ///< of the weight noise, which changes with each step
  /// Ranks that compute the step together, each its shards (see RankOptions); all make the same
  /// update. Statistics over the batch are those of all shards (see BatchNormalization).
  RankOptions ranks = {};
  /// Sees each part with what the model gave for it, as metrics do; of several ranks, those that
  /// this one computes.
  std::function<void(const Batch& part, const Tensors& outputs, const Loss& loss)> seen = {};
  /// Is called when the gradients of the whole batch stand, before clipping and the update: for
  /// gradients that are logged, scaled, clipped in a way of one's own, or averaged over processes.
  /// Where it throws, nothing is updated and no gradient is left behind.
  std::function<void(const UpdateEvent&)> before_update = {};
  /// Under ranks: numbers that a part counts, and what is given those of all parts of all ranks, in
  /// one order on each.
  std::function<std::vector<double>(const Batch& part, const Tensors& outputs, const Loss& loss)>
      count = {};
  std::function<void(const std::vector<double>& numbers)> counted = {};
  /// Under ranks: whether this one wants to end; TrainStep then says whether any does.
  std::function<bool()> asks_to_end = {};
};

/// Forward and backward of one batch; gradients stand as after one backward of the whole.
/// Throws:   GradError where the loss is NaN or infinite, with no gradient left behind; OptionError
///           for micro_batches below 1, and for parts where layers carry state from batch to batch;
///           MaskError for what strict_lengths refuses.
/// Example:  const mg::TrainingLoss loss = "sparse_categorical_crossentropy";
///           mg::compute_gradients(model, loss, batch, {.micro_batches = 2});
///           adam.step();
Accumulate::Total compute_gradients(const detail::ModelRef& model, const TrainingLoss& loss,
                                    const Batch& batch, const StepOptions& options = {});

/// What a step of training did.
struct TrainStep {
  double loss = 0, count = 0;
  StepReport report;
  bool asked_to_end = false;  ///< by any rank, see StepOptions
};
/// A whole step: stateful layers begin where the batch says so, weight noise, gradients,
/// before_update, clipping, the optimizer. All noise is drawn at one NoiseStep: the one that is
/// open, else where the training of the optimizer's parameters stands.
/// Throws:   as compute_gradients, before_update and Optimizer::step; OptionError where the
///           gradients are of other parameters than the optimizer's. Then no gradient is left
///           behind. RankError where another rank failed.
/// Example:  for (const mg::Batch& b : batches.epoch(0)) {
///             mg::train_step(model, adam, "sparse_categorical_crossentropy", b, {.clip_norm = 1});
///           }
TrainStep train_step(detail::ModelRef model, Optimizer& optimizer, const TrainingLoss& loss,
                     const Batch& batch, const StepOptions& options = {});

/// The loss and the metrics over all batches of an epoch, under Evaluate, by their names; `loss`
/// first. Stateful layers begin anew before and after; with batch_invariant (see PredictOptions)
/// they are refused. Under ranks each reads and computes its share, and all get the same. Errors
/// name the batch and its sequences; OptionError for two metrics of a name.
/// Example:  mg::evaluate(model, batches, "sparse_categorical_crossentropy", {"accuracy"});
Logs evaluate(detail::ModelRef model, const Batches& batches, const TrainingLoss& loss,
              std::vector<TrainingMetric> metrics = {}, const PredictOptions& options = {},
              const RankOptions& ranks = {});

namespace detail {
/// GradError for a loss that is NaN or infinite.
void refuse_not_finite(const Loss& loss);
/// MaskError where positions of the loss fell away.
void refuse_fallen_away(const Loss& loss);
/// OptionError where two metrics have a name, or one has the name of what logs hold beside them.
void check_metric_names(std::string_view where, const std::vector<TrainingMetric>& metrics);
/// The same; nothing where `stop` said so between two batches. `seen` is shown each loss.
std::optional<Logs> evaluate_unless(const ModelRef& model, const Batches& batches,
                                    const TrainingLoss& loss, std::vector<TrainingMetric>& metrics,
                                    const PredictOptions& options,
                                    const std::function<bool()>& stop,
                                    const std::function<void(const Loss&)>& seen = {},
                                    const RankOptions& ranks = {});
/// train_step, whose errors no other rank is told of.
TrainStep make_train_step(const ModelRef& model, Optimizer& optimizer, const TrainingLoss& loss,
                          const Batch& batch, const StepOptions& options);
}  // namespace detail
}  // namespace maskgrad
