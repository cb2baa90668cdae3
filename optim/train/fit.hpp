#pragma once

#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <maskgrad/optim/data/batches.hpp>
#include <maskgrad/optim/distributed/forecast.hpp>
#include <maskgrad/optim/moving_average.hpp>
#include <maskgrad/optim/schedules/schedule.hpp>
#include <maskgrad/optim/train/checkpoint.hpp>
#include <maskgrad/optim/train/progress.hpp>
#include <maskgrad/optim/train/steps.hpp>

namespace maskgrad {

struct EarlyStoppingOptions {
  std::string monitor = {};   ///< what is watched; empty: val_loss, or loss without validation
  std::int64_t patience = 5;  ///< epochs in a row that are not better
  double min_delta = 0;       ///< by how much better is better
  Better mode = Better::automatic;
  bool restore_best = true;  ///< the weights of the best epoch at the end, however it comes

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("monitor", o.monitor);
    f("patience", o.patience);
    f("min_delta", o.min_delta);
    f("mode", o.mode);
    f("restore_best", o.restore_best);
  }
};

/// What a callback sees, and can do: set `stop`, which ends the training in good order.
struct FitEvent {
  std::int64_t epoch = 0;  ///< from 1
  std::int64_t step = 0;   ///< steps made so far, of all epochs
  const Logs& logs;        ///< on_step: the loss and the gradient's norm; on_epoch: all
  Optimizer& optimizer;
  bool stop = false;
};

struct FitOptions {
  TrainingLoss loss;        ///< required
  std::int64_t epochs = 1;  ///< in all, those of the runs that this one goes on from included
  std::vector<TrainingMetric> metrics = {};
  std::optional<Batches> validation = {};  ///< evaluated after each epoch
  Schedule schedule = {};                  ///< of the learning rate
  std::int64_t micro_batches = 1;          ///< see StepOptions
  bool batch_invariant = false;            ///< see StepOptions; in validation too
  std::int64_t segment = 0;                ///< steps in memory at a time, see StepOptions
  bool truncate_gradients = false;         ///< of segments, see StepOptions
  /// Refuses data in which the masks of target and prediction differ; else what falls away is
  /// counted, see EpochRecord, and said once.
  bool strict_lengths = false;
  double clip_norm = 0;
  double clip_value = 0;
  std::optional<EarlyStoppingOptions> early_stopping = {};
  /// A moving average of the weights, by which epochs are judged and which the model has at the
  /// end.
  std::optional<MovingAverageOptions> average = {};
  double weight_noise = 0;  ///< standard deviation; see WeightNoise
  std::uint64_t seed = 0;   ///< of dropout and weight noise, together with the model's own
  CheckpointOptions checkpoints = {};
  /// A line an epoch, .csv or .jsonl; begun anew. Its folder is made. One that cannot be written is
  /// said once, and the training goes on.
  std::filesystem::path metrics_file = {};
  std::filesystem::path report =
      {};  ///< a page, see write_report; written while it runs and at the end
  Progress progress = Progress::automatic;
  std::FILE* output = stdout;    ///< where progress goes
  bool detect_anomaly = false;   ///< see DetectAnomaly; slow
  bool catch_interrupts = true;  ///< see Interrupts
  /// Ranks that train together, see RankOptions. Rank 0 writes checkpoints, logs, progress and the
  /// report, and the others go on from what it reads; all end with the same model.
  RankOptions ranks = {};
  /// Numbers of ranks for which a forecast is printed before the training begins, see `forecast`.
  std::vector<std::int64_t> simulate_ranks = {};
  NetworkOptions network = {};  ///< of the forecast
  /// Is called in each step between the gradients and the update, see StepOptions.
  std::function<void(const UpdateEvent&)> before_update = {};
  std::function<void(FitEvent&)> on_step = {};
  std::function<void(FitEvent&)> on_epoch = {};
};

/// Trains a built model. With a checkpoint folder it goes on from the newest checkpoint there, and
/// ends with weights that are bit by bit those of a run that was never interrupted. Ctrl-C or
/// SIGTERM finishes the step, saves, and returns a history that is `interrupted`; a second one
/// leaves at once. The optimizer's learning rate is its own again at the end.
/// Throws:   GradError where a loss or gradient turns NaN or infinite; OptionError for options out
///           of range, two metrics of a name, an optimizer of another model, and targets that the
///           loss cannot be meant for; FileError for checkpoints that do not fit the model, with
///           nothing changed; StateError before the model is built; what the model, the data and
///           the callbacks throw. What comes from a step names its epoch, step and sequences.
///           Under ranks RankError where another failed, OptionError where they are not alike.
/// Example:  mg::fit(model, adam, batches,
///                   {.loss = "sparse_categorical_crossentropy",
///                    .epochs = 20,
///                    .metrics = {"accuracy"}, .validation = mg::Batches{valid},
///                    .checkpoints = {.folder = "run1"}});
History fit(detail::ModelRef model, Optimizer& optimizer, const Batches& batches,
            FitOptions options);

}  // namespace maskgrad
