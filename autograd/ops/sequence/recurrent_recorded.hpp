#pragma once

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/plans/sequences.hpp>
#include <maskgrad/core/kernels/recurrent/recurrent.hpp>

/// A call of `recurrent` on the tape.
namespace maskgrad::detail {

inline constexpr std::string_view recurrent_op = "recurrent";

/// The array of what is wanted; null where it is not.
template <class T>
T* array_of(const Tensor& t) {
  return t.defined() ? rows::of_mutable<T>(t).data() : nullptr;
}

/// A call as backward needs it again; inputs in the order x, kernel, recurrent, bias, h0, c0.
struct RecurrentCall {
  kernels::Cell cell;
  bool reset_after, reverse, recompute;
  bool outputs;  ///< the first result; without it the states are all
  Sequences sequences;
  std::int64_t features, units;

  /// Place among the results of the output, of h and of c; -1: it is none.
  int output_place() const { return outputs ? 0 : -1; }
  int h_place() const { return outputs ? 1 : 0; }
  int c_place() const { return cell == kernels::Cell::lstm ? h_place() + 1 : -1; }

  template <class T>
  kernels::RecurrentProblem<T> problem(const std::vector<Tensor>& in, bool training) const {
    return {.cell = cell,
            .reverse = reverse,
            .reset_after = reset_after,
            .training = training,
            .recompute = recompute,
            .batch = sequences.count(),
            .rows = sequences.rows,
            .features = features,
            .units = units,
            .first = sequences.first.data(),
            .length = sequences.length.data(),
            .x = rows::data_or_null<T>(in[0]),
            .kernel = rows::data_or_null<T>(in[1]),
            .recurrent_kernel = rows::data_or_null<T>(in[2]),
            .bias = rows::data_or_null<T>(in[3]),
            .h0 = rows::data_or_null<T>(in[4]),
            .c0 = rows::data_or_null<T>(in[5])};
  }
};

/// What a call's gradient, and that of the gradient, are made of.
struct RecordedRecurrent {
  RecurrentCall call;
  std::vector<Saved> inputs;
  Tensor out, saved;  ///< of what is not made again
  std::vector<tape::Slot> results;

  template <class G>
  void operator()(G& grads) const {
    if constexpr (is_adjoint<G>) {
      tell(grads);
    } else {
      backward(grads);
    }
  }
  void backward(Grads& grads) const;
  bool second(Second& second) const;
  /// The gradients as operations, step by step.
  void tell(Adjoint& grads) const;
};

}  // namespace maskgrad::detail
