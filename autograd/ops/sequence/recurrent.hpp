#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <maskgrad/core/kernels/recurrent/recurrent.hpp>
#include <maskgrad/core/memory.hpp>
#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// The weights of a recurrent layer, in Keras's layouts (core/kernels/recurrent/recurrent.hpp).
struct RecurrentWeights {
  Tensor kernel;            ///< [features, gates * units]
  Tensor recurrent_kernel;  ///< [units, gates * units]
  Tensor bias;              ///< undefined: none
};

/// Where a recurrence begins, and what it ends with.
struct RecurrentState {
  Tensor h;  ///< [batch, units]; undefined: zeros
  Tensor c;  ///< the same, LSTM
};

struct RecurrentResult {
  Tensor output;  ///< [batch, time, units], a step's output at its own position; see `outputs`
  RecurrentState state;
};

namespace detail {

/// Weights as the kernels read them, for calls of single steps, of which packing would be most.
class PackedRecurrent {
 public:
  PackedRecurrent(kernels::Cell cell, bool reset_after, const RecurrentWeights& weights);
  /// Whether these are the weights still, and have not been changed since.
  bool of(const RecurrentWeights& weights) const;
  const std::byte* data() const { return packed_.data(); }

 private:
  extend::Storage packed_;
  RecurrentWeights weights_;
  std::array<std::uint64_t, 3> versions_;
};

}  // namespace detail

/// Runs SimpleRNN, GRU or LSTM (tanh and sigmoid) over the valid steps of each sequence in order,
/// last to first with `go_backwards`; an empty sequence's state is its initial one. `recompute`:
/// training keeps states alone, and backward makes the rest again, with the same bits. Without
/// `outputs` the output is undefined, and not written but where backward needs it. `packed`: these
/// weights, which a call without a gradient reads.
/// Shapes:   x [batch, time, features].
/// Mask:     supports [batch, time] and passes it to the output, the states carry none; under
///           [batch], output and states carry it.
/// Gradient: of x, the weights and the initial states, from the output and the states.
/// Throws:   ShapeError, TypeError; MaskError for a mask over features or of weights, and for an
///           initial state whose mask leaves out a sequence of x.
/// Source:   Keras 3 (SimpleRNN, GRU, LSTM).
/// Example:  const mg::RecurrentWeights weights{mg::zeros({3, 24}), mg::zeros({8, 24}), {}};
///           mg::recurrent(mg::kernels::Cell::gru, true, false, x, weights, {});
RecurrentResult recurrent(kernels::Cell cell, bool reset_after, bool go_backwards, const Tensor& x,
                          const RecurrentWeights& weights, const RecurrentState& initial,
                          bool recompute = false, bool outputs = true,
                          const detail::PackedRecurrent* packed = nullptr);

}  // namespace maskgrad
