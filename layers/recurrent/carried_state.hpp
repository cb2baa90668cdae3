#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <maskgrad/layers/spec.hpp>

namespace maskgrad {

/// The states that a stateful recurrent layer hands from one batch to the next: sample i of a batch
/// goes on where sample i of the one before ended. No gradient goes back into that batch.
class CarriedState {
 public:
  /// The states to begin with: none at first. ShapeError, from `where`, for another batch size.
  Tensors begin(std::string_view where, std::int64_t batch) const;
  /// Takes the states behind a batch. Where a sample is masked it has none, and keeps what it had.
  void keep(const Tensors& states);
  /// What is carried now, for checkpoints; empty at first.
  const Tensors& states() const { return states_; }
  void set(Tensors states) { states_ = std::move(states); }
  void reset() { states_.clear(); }
  /// Lets these samples begin anew. IndexError, with nothing changed, for one that is not there.
  void reset(std::string_view where, const std::vector<std::int64_t>& samples);

 private:
  Tensors states_;
};

}  // namespace maskgrad
