#pragma once

#include <optional>
#include <vector>

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/layers/basic/einsum_equation.hpp>
#include <maskgrad/layers/layer/layer.hpp>

namespace maskgrad {

struct EinsumDenseOptions {
  std::string equation;                    ///< as "abc,cd->abd" or "...x,xy->...y"
  std::vector<std::int64_t> output_shape;  ///< without batch and "..."; mg::any (null): the input's
  std::string activation = "linear";
  std::optional<std::string> bias_axes = {};  ///< letters of the result that the bias has
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("equation"), o.equation);
    f(extend::required("output_shape"), o.output_shape);
    f("activation", o.activation);
    f("bias_axes", o.bias_axes);
    f("kernel_initializer", o.kernel_initializer);
    f("bias_initializer", o.bias_initializer);
    f("name", o.name);
  }
};

/// Products of x and a kernel, summed over axes named by letters: y = activation(einsum + bias).
/// Shapes:   as the equation says; kernel its second group, bias from the first of bias_axes on, 1
///           where the letter is not among them.
/// Mask:     propagates: the equation passes mask axes on; it refuses a mask over an axis that it
///           sums over, moves, or gives weights.
/// Throws:   OptionError for an equation, shape or letter that does not fit; ShapeError, MaskError.
/// Source:   Keras 3, EinsumDense.
/// Example:  mg::EinsumDense split{
///               {.equation = "btf,fhd->bthd", .output_shape = {mg::any, 4, 16}}};
///           mg::build(split, spec);
///           split(x);  // [4, 5, 4, 16]
class EinsumDense {
 public:
  using Options = EinsumDenseOptions;
  static constexpr std::string_view kind = "EinsumDense";
  static constexpr MaskContract contract{
      .role = MaskRole::propagates,
      .why = "each row is mapped by itself; an equation over steps is unsupported",
      .full_role = MaskRole::unsupported,
      .ways_out =
          "an equation that passes the mask axes on · x.drop_mask(\"why\", fill) to compute on "
          "the padding as data"};

  explicit EinsumDense(EinsumDenseOptions options);
  /// Once built, unsupported where the equation does more with steps than pass them on.
  MaskContract contract_now() const;
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  void build(const Tensor& x, Builder& builder);
  Tensor forward(const Tensor& x) const;

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    f("kernel", self.kernel_);
    if (self.options_.bias_axes) f("bias", self.bias_);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  EinsumDenseOptions options_;
  detail::EinsumEquation equation_;
  ActivationFunction activation_;
  Parameter kernel_, bias_;
  bool over_steps_ = false;
};

}  // namespace maskgrad
