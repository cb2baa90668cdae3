#pragma once

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/layers/layer/initializer.hpp>
#include <maskgrad/layers/layer/layer.hpp>
#include <maskgrad/layers/layer/options.hpp>
#include <maskgrad/layers/recurrent/recurrent_options.hpp>

namespace maskgrad::detail {

/// The options of MinGRU and MinLSTM, in Keras's order.
struct MinOptions {
  std::int64_t units;
  std::string activation = "linear";  ///< of the candidate
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("units"), o.units);
    f("activation", o.activation);
    f("use_bias", o.use_bias);
    f("kernel_initializer", o.kernel_initializer);
    f("bias_initializer", o.bias_initializer);
    RNNOptions::each_option(o, f);
  }
};

/// The weights of MinGRU or MinLSTM, and how they run over whole sequences.
class MinCore {
 public:
  using Options = MinOptions;
  static constexpr bool output_is_state = true, one_state = true;

  /// OptionError, naming `kind`, for options out of range. `lstm`: with gates for both.
  MinCore(std::string_view kind, bool lstm, MinOptions options);

  void build(const Tensor& x, Builder& builder);
  std::vector<std::int64_t> state_sizes() const { return {options_.units}; }
  Tensor enter(const Tensor& x) const;
  Tensors run_whole(const Tensor& x, const Tensors& states, bool backwards) const;
  const MinOptions& options() const { return options_; }

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    f("kernel", self.kernel_);
    if (self.options_.use_bias) f("bias", self.bias_);
  }

 private:
  std::int64_t gates() const { return lstm_ ? 3 : 2; }
  /// What gate i, or the candidate, is of x before its activation.
  Tensor sums(const Tensor& x, std::int64_t i) const;

  bool lstm_;
  MinOptions options_;
  ActivationFunction activation_;
  Parameter kernel_, bias_;
};

struct MinGRUCore : MinCore {
  explicit MinGRUCore(MinOptions options) : MinCore("MinGRU", false, std::move(options)) {}
};
struct MinLSTMCore : MinCore {
  explicit MinLSTMCore(MinOptions options) : MinCore("MinLSTM", true, std::move(options)) {}
};

}  // namespace maskgrad::detail
