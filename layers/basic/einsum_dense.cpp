#include <maskgrad/layers/basic/einsum_dense.hpp>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/linear/einsum.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {
namespace {

/// Whether the axis is passed on, and the bias has none of its own for it.
bool passes(const detail::EinsumEquation& equation, const EinsumDenseOptions& options, int axis) {
  return equation.passes(axis) &&
         options.bias_axes.value_or("").find(equation.letter(axis)) == std::string::npos;
}

}  // namespace

EinsumDense::EinsumDense(EinsumDenseOptions options)
    : info(kind, options.name),
      options_(std::move(options)),
      equation_(options_.equation),
      activation_(activation(options_.activation)) {}

MaskContract EinsumDense::contract_now() const {
  if (!over_steps_) return contract;
  return {.role = MaskRole::unsupported,
          .why = "its equation does more with steps than pass them on",
          .sample_role = MaskRole::propagates,
          .ways_out = contract.ways_out};
}

void EinsumDense::build(const Tensor& x, Builder& builder) {
  check::has_features(x);
  const detail::EinsumEquation equation = equation_.of(x);
  const Shape result = equation.result(x, options_.output_shape);
  kernel_ = builder.weight("kernel", equation.weights(x, result), options_.kernel_initializer);
  if (options_.bias_axes) {
    bias_ = builder.weight("bias", equation.bias(*options_.bias_axes, result),
                           options_.bias_initializer);
  }
  over_steps_ = x.rank() > 2 && !passes(equation, options_, 1);
}

Tensor EinsumDense::forward(const Tensor& x) const {
  const detail::EinsumEquation equation = equation_.of(x);
  for (int axis = 0; axis < rows::mask_rank(x); ++axis) {
    if (passes(equation, options_, axis)) continue;
    fail<MaskError>(
        kind,
        "input is {}, and \"{}\" does more with axis {} ('{}'), which the mask covers, "
        "than pass it on; expected it at the same place in the result, and in no weight. "
        "Give it such an equation, or end the mask with x.drop_mask(\"why\")",
        x.describe(), equation_.text(), axis, equation.letter(axis));
  }
  Tensor y = einsum(equation.formula(), {x, kernel_});
  if (options_.bias_axes) y = y + bias_;
  return activation_(y);
}

}  // namespace maskgrad
