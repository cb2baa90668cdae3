#pragma once

#include <maskgrad/layers/layer/initializer.hpp>
#include <maskgrad/layers/layer/options.hpp>
#include <maskgrad/layers/recurrent/linear_layer.hpp>

namespace maskgrad {

struct RGLRUOptions {
  std::int64_t num_blocks = 1;  ///< of the gates' kernels, which are block-diagonal; 1: full
  bool use_bias = true;
  Initializer kernel_initializer = "lecun_normal";
  Initializer bias_initializer = "zeros";
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("num_blocks", o.num_blocks);
    f("use_bias", o.use_bias);
    f("kernel_initializer", o.kernel_initializer);
    f("bias_initializer", o.bias_initializer);
    RNNOptions::each_option(o, f);
  }
};

namespace detail {

/// The weights of RGLRU, and how they run over whole sequences.
class RGLRUCore {
 public:
  using Options = RGLRUOptions;
  static constexpr bool output_is_state = true, one_state = true;

  explicit RGLRUCore(RGLRUOptions options);
  void build(const Tensor& x, Builder& builder);
  std::vector<std::int64_t> state_sizes() const { return {decay_.shape()[0]}; }
  Tensor enter(const Tensor& x) const;
  Tensors run_whole(const Tensor& x, const Tensors& states, bool backwards) const;
  const RGLRUOptions& options() const { return options_; }

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    f("kernel", self.kernel_);
    if (self.options_.use_bias) f("bias", self.bias_);
    f("decay", self.decay_);
  }

 private:
  /// What gate i is of x.
  Tensor gate(const Tensor& x, std::int64_t i) const;

  RGLRUOptions options_;
  Parameter kernel_, bias_, decay_;
};

}  // namespace detail

/// Real-gated linear recurrent unit over each sequence's valid steps.
///   r, i = sigmoid(x W + b),  log a = -8 softplus(decay) r,  h' = a h + sqrt(1 - a^2) i x
/// Shapes:   x [batch, time, features] (and h0 [batch, features]) -> the last output [batch,
///           features], or all [batch, time, features]; kernel [num_blocks, features / num_blocks,
///           2 features / num_blocks], bias [2, features], both r, i; decay [features], which
///           begins so that a is between 0.9 and 0.999 where r is 1.
/// Mask:     as GRU.
/// Throws:   OptionError, ShapeError, MaskError (a mask over features).
/// Source:   De et al. 2024, arXiv:2402.19427; its reference has block-diagonal gates.
/// Example:  mg::RGLRU unit{{.return_sequences = true}};
///           mg::build(unit, spec);
///           unit(x);  // [4, 5, 3]
class RGLRU : public detail::LinearLayer<RGLRU, detail::RGLRUCore> {
 public:
  static constexpr std::string_view kind = "RGLRU";
  using LinearLayer::LinearLayer;
};

}  // namespace maskgrad
