#pragma once

#include <algorithm>

#include <maskgrad/layers/keras/lint_parts.hpp>

namespace maskgrad::detail {

constexpr std::int64_t trial_sequences = 4;

/// Which steps of each sequence are there: one full, one padded behind, one before, one short.
std::vector<std::pair<std::int64_t, std::int64_t>> trial_spans(std::int64_t time);

/// Inputs with which a model is tried.
struct LintTrial {
  Tensors padded = {};                   ///< the batch, padding as the file wants it
  std::vector<Tensors> alone = {};       ///< each sequence cut to its steps
  std::vector<std::int64_t> times = {};  ///< of each input, 0 where it has no steps

  /// Whether the result has the steps of an input.
  bool has_time(const Tensor& y) const {
    return y.rank() > 2 && y.shape()[1] > 0 &&
           std::ranges::find(times, y.shape()[1]) != times.end();
  }
};

/// Draws inputs for a model that was built.
class LintTrials {
 public:
  LintTrials(const KerasRead& read, const Functional& built);

  /// Whether inputs have one step each, so that nothing can be padded.
  bool one_step() const;
  /// Numbers of steps to be tried where the file leaves them free, until windows fit into one;
  /// where it has many, fewer at first.
  std::vector<std::int64_t> times() const;
  /// `fill`: what padding is to be where nothing marks it; 0: what it is.
  LintTrial draw(std::int64_t time, double fill) const;

 private:
  std::optional<std::int64_t> told_time(std::size_t input) const;
  std::int64_t time_of(std::size_t input, std::int64_t time) const;
  double padding_of(std::size_t input, bool& read_by_mask) const;
  std::int64_t most_id(std::size_t input) const;

  const KerasRead& read_;
  bool free_ = true;  ///< whether the model takes any number of steps
};

}  // namespace maskgrad::detail
