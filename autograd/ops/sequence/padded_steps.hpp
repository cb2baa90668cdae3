#pragma once

#include <string_view>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/plans/sequences.hpp>

namespace maskgrad {

/// Sequences side by side, with as many steps as the longest, for operations that go through time
/// step by step: [count, longest, ...]. Behind a sequence's end there are zeros.
class PaddedSteps {
 public:
  /// `reversed`: a sequence's last step comes first.
  explicit PaddedSteps(const Sequences& sequences, bool reversed = false);

  std::int64_t count() const { return count_; }
  std::int64_t longest() const { return longest_; }
  /// x [batch, time, ...] side by side.
  Tensor of(std::string_view op, const Tensor& x) const;
  /// From side by side to the rows of a tensor of that shape and mask.
  Tensor back(std::string_view op, const Tensor& steps, const Shape& shape, const Mask& mask) const;
  /// [count, 1] of bool: which sequences have step t.
  Tensor alive(std::int64_t t) const;

 private:
  std::int64_t count_, longest_ = 0, rows_;
  Tensor ids_,
      places_;  ///< the row of each place, `rows` where there is none; of each row its place
  Index length_;
};

}  // namespace maskgrad
