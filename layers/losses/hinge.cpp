#include <maskgrad/layers/losses/hinge.hpp>

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/layers/losses/weights.hpp>

namespace maskgrad {
namespace {

/// What is missing to a margin of 1.
Tensor missing(const losses::Read& in) {
  const Tensor& t = in.target;
  const Tensor sign = where(equal(t, scalar(0, t.dtype())), scalar(-1, t.dtype()), t);
  return relu(1 - sign * in.prediction);
}

}  // namespace

Loss hinge(const Tensor& target, const Tensor& prediction, const LossOptions& options) {
  const auto in = losses::read_values("hinge", target, prediction, options);
  return in.weights.loss(losses::at_positions(missing(in)));
}

Loss squared_hinge(const Tensor& target, const Tensor& prediction, const LossOptions& options) {
  const auto in = losses::read_values("squared_hinge", target, prediction, options);
  return in.weights.loss(losses::at_positions(square(missing(in))));
}

Loss categorical_hinge(const Tensor& target, const Tensor& prediction, const LossOptions& options) {
  const auto in = losses::read_rows("categorical_hinge", target, prediction, options);
  const Tensor &t = in.target, &p = in.prediction;
  const Tensor others = max(losses::weighed(1 - t, p), {-1}),
               own = sum(losses::weighed(t, p), {-1});
  return in.weights.loss(relu(others - own + 1));
}

}  // namespace maskgrad
