#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <maskgrad/layers/layer/spec.hpp>

namespace maskgrad::detail {

/// The states that a stateful recurrent layer hands from one batch to the next: sample i of a batch
/// goes on where sample i of the one before ended. No gradient goes back into that batch.
class CarriedState {
 public:
  CarriedState() = default;
  /// `sizes`: of the states, [batch, size] each.
  explicit CarriedState(std::vector<std::int64_t> sizes) : sizes_(std::move(sizes)) {}

  /// The states to begin with: none at first. ShapeError for another batch size.
  Tensors begin(std::int64_t batch) const;
  /// Takes the states behind a batch. Where a sample is masked it has none, and keeps what it had.
  void keep(const Tensors& states);
  const std::vector<std::int64_t>& sizes() const { return sizes_; }
  void set_sizes(std::vector<std::int64_t> sizes) { sizes_ = std::move(sizes); }
  /// What is carried now, for checkpoints; empty at first.
  const Tensors& states() const { return states_; }
  void set(Tensors states) { states_ = std::move(states); }
  /// Why these cannot be its states, as `state 1 is f32[3, 4]; expected [batch, 6]`; empty where
  /// they can.
  std::string trouble_with(const Tensors& states, DType dtype) const;
  void reset() { states_.clear(); }
  /// Lets these samples begin anew. IndexError, with nothing changed, for one that is not there.
  void reset(std::string_view where, const std::vector<std::int64_t>& samples);

 private:
  std::vector<std::int64_t> sizes_;
  Tensors states_;
};

}  // namespace maskgrad::detail
