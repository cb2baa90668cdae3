#include <fmt/format.h>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/layers/losses/loss_factory.hpp>

#include "run.hpp"

namespace maskgrad::conformance {

void run_loss(const Case& c, Comparison& result) {
  const auto inputs = inputs_of(c);
  if (inputs.size() != 2) {
    return result.wrong(fmt::format("{} inputs, expected target and prediction", inputs.size()));
  }
  const auto loss = make_loss_function(c.subject, c.config)(inputs[0].x.value(), inputs[1].x);
  const bool gradients = !c.under("expected.grad.").empty();
  // A case without an upstream is that of the sum of all.
  const auto upstream = [&](const Tensor& output) {
    return c.has("upstream") ? c.tensor("upstream") : ones(output.shape(), output.dtype());
  };
  if (loss.terms().front().reduction == Reduction::none) {
    result.values("expected.output", loss.positions());
    result.mask("expected.mask", loss.positions());
    const Tensor total = sum(loss.positions() * upstream(loss.positions()));
    if (gradients && total.on_tape()) total.backward();
  } else {
    result.values("expected.output", scalar(loss.value(), c.real));
    if (gradients) (upstream(scalar(0, c.real)).item() * loss).backward();
  }
  compare_input_gradients(c, inputs, result);
}

}  // namespace maskgrad::conformance
