#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <maskgrad/optim/train/reporter.hpp>

namespace maskgrad::detail {

/// What a run says, once, about its data and its loss.
class DataChecks {
 public:
  DataChecks(const FitSetup& setup, Reporter& reporter);

  /// A part of a batch, with what the model gave for it.
  void check_part(const Batch& part, const Tensors& outputs, const Loss& loss);
  /// `where_from`: as `the validation data`.
  void check_fallen_away(std::int64_t positions, std::string_view where_from);
  /// That the watched value is no number that could be the best.
  void check_monitor(std::string_view monitor, const EpochRecord& record);

  /// Of the loss's terms, `mean_squared_error: mean`, as checkpoints hold it.
  const std::string& reductions() const { return reductions_; }
  void set_reductions(std::string reductions) { reductions_ = std::move(reductions); }

 private:
  void check_reductions(const Loss& loss);

  const FitSetup& setup_;
  Reporter& reporter_;
  bool checked_first_ = false;                ///< what the first step shows
  bool said_fallen_away_ = false;             ///< that positions fall away
  std::vector<std::string> said_not_finite_;  ///< monitors
  std::string reductions_;
};

}  // namespace maskgrad::detail
