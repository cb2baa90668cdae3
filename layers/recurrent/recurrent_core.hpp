#pragma once

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/autograd/ops/sequence/recurrent.hpp>
#include <maskgrad/layers/layer/layer.hpp>
#include <maskgrad/layers/recurrent/recurrent_options.hpp>

namespace maskgrad::detail {

/// The weights of SimpleRNN, GRU, LSTM and their cells, and the two ways to use them: one step by
/// operations, or whole sequences by the kernels. Knows no time: see Recurrence, which runs it as
/// one of its cells.
class RecurrentCore {
 public:
  static constexpr bool output_is_state = true;

  /// OptionError, naming `kind`, for options out of range.
  RecurrentCore(std::string_view kind, kernels::Cell cell, RecurrentSettings settings);

  /// The weights, for x [..., features].
  void build(const Tensor& x, Builder& builder);
  std::vector<std::int64_t> state_sizes() const;
  /// Every x comes in here: under dropout, a feature over all steps or not at all with
  /// `whole_steps`. ShapeError where it has not the features that the weights were made for.
  Tensor enter(const Tensor& x, bool whole_steps = true) const;
  /// Whether dropout changes what comes in.
  bool drops_inputs() const { return settings_.dropout > 0 && training(); }

  /// Whether the kernels can: tanh and sigmoid, no recurrent dropout.
  bool fused() const;
  bool runs_whole(const Tensor& x) const { return x.is_meta() || x.shape()[1] == 0 || fused(); }
  /// x [batch, time, features] and states, undefined ones zeros -> all outputs, then the states.
  /// Without `outputs` they are not made, and the first tensor is undefined.
  Tensors run_whole(const Tensor& x, const Tensors& states, bool backwards,
                    bool outputs = true) const;

  /// What steps read of x, in one product for all.
  Tensor project(const Tensor& x) const;
  /// One step -> the output, then the states behind it.
  Tensors step(const Tensor& projected, const Tensors& states) const;
  /// One step of a cell by itself: x [..., features], then its states.
  Tensors forward_cell(const Tensors& inputs) const;

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    f("kernel", self.kernel_);
    f("recurrent_kernel", self.recurrent_kernel_);
    if (self.settings_.use_bias) f("bias", self.bias_);
  }

 private:
  /// Whether the bias has a part for the inputs and one for the states.
  bool two_biases() const { return cell_ == kernels::Cell::gru && settings_.reset_after; }
  Tensor gru_step(const Tensor& projected, const Tensor& h) const;
  Tensors lstm_step(const Tensor& sums, const Tensor& c) const;

  kernels::Cell cell_;
  RecurrentSettings settings_;
  ActivationFunction activation_, recurrent_activation_;
  Parameter kernel_, recurrent_kernel_, bias_;
  Seed seed_;
};

}  // namespace maskgrad::detail
