#include <fmt/format.h>

#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/layers/factory.hpp>

#include "run.hpp"

namespace maskgrad::conformance {

void run_loss(const Case& c, Comparison& result) {
  const auto inputs = inputs_of(c);
  if (inputs.size() != 2) {
    return result.wrong(fmt::format("{} inputs, expected target and prediction", inputs.size()));
  }
  const auto loss = loss_function(c.subject, c.config)(inputs[0].x.value(), inputs[1].x);
  const bool gradients = !c.under("expected.grad.").empty();
  const Tensor upstream = c.has("upstream") ? c.tensor("upstream") : Tensor();
  if (loss.terms().front().reduction == Reduction::none) {
    result.values("expected.output", loss.positions());
    result.mask("expected.mask", loss.positions());
    const Tensor total = sum(loss.positions() * upstream);
    if (gradients && total.on_tape()) total.backward();
  } else {
    result.values("expected.output", scalar(loss.value(), c.real));
    if (gradients) (upstream.item() * loss).backward();
  }
  compare_input_gradients(c, inputs, result);
}

}  // namespace maskgrad::conformance
