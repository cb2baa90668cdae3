#pragma once

#include <optional>
#include <string>
#include <vector>

#include <maskgrad/optim/train/fit.hpp>

namespace maskgrad::detail {

/// What fit was given, checked: what all parts of a run work on.
struct FitSetup {
  /// Throws:   OptionError for options out of range; StateError before the model is built.
  FitSetup(ModelRef model, Optimizer& optimizer, const Batches& batches, FitOptions options);
  FitSetup(const FitSetup&) = delete;
  FitSetup& operator=(const FitSetup&) = delete;

  ModelRef model;
  Optimizer& optimizer;
  Batches batches;
  FitOptions options;
  /// The model's, and behind them those of the optimizer that are not the model's, as a rule the
  /// loss's; each under a name of its own.
  std::vector<NamedParameter> parameters;
  std::optional<MovingAverage> average;
  std::string settings;  ///< JSON, see History::settings
};

}  // namespace maskgrad::detail
