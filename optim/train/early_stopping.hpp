#pragma once

#include <optional>
#include <vector>

#include <maskgrad/optim/train/fit_setup.hpp>
#include <maskgrad/optim/train/training_state.hpp>

namespace maskgrad::detail {

/// Which epoch is the best so far, whether it is time to stop, and the weights of the best one.
/// Without EarlyStoppingOptions it watches nothing and never stops.
class EarlyStopping {
 public:
  /// Throws:   OptionError for a min_delta below 0.
  explicit EarlyStopping(FitSetup& setup);

  /// The name of the value that is watched; empty where none is.
  std::string_view monitor() const;
  /// Takes an epoch's logs; the model has the weights that they are of.
  void end_epoch(const EpochRecord& record);
  bool stopped() const { return state_.stopped; }

  const EarlyStoppingState& state() const { return state_; }
  void set_state(const EarlyStoppingState& state);

  void keep_weights();
  void forget_weights() { best_weights_.clear(); }
  bool has_weights() const { return !best_weights_.empty(); }
  bool keeps_weights() const;
  /// Puts those of the best epoch into the model, where they were kept.
  void restore_weights() const;
  /// The same as checkpoints hold them, `best/gru/kernel`.
  SavedValues saved_values();

 private:
  FitSetup& setup_;
  std::optional<MonitoredValue> watch_;
  EarlyStoppingState state_;
  std::vector<Tensor> best_weights_;  ///< of setup_.parameters; empty before the first epoch
};

}  // namespace maskgrad::detail
