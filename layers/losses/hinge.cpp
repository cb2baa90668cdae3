#include <maskgrad/layers/losses/hinge.hpp>

#include <maskgrad/autograd/ops/activations.hpp>
#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/autograd/ops/select_where.hpp>
#include <maskgrad/autograd/ops/unary.hpp>
#include <maskgrad/layers/losses/pairs.hpp>

namespace maskgrad {
namespace {

/// What is missing to a margin of 1.
Tensor missing(std::string_view name, const Tensor& target, const Tensor& prediction) {
  const auto [t, p] = losses::alike(name, target, prediction);
  const Tensor sign = where(equal(t, scalar(0, t.dtype())), scalar(-1, t.dtype()), t);
  return relu(1 - sign * p);
}

}  // namespace

Loss hinge(const Tensor& target, const Tensor& prediction, const LossOptions& options) {
  constexpr std::string_view name = "hinge";
  return losses::finish({name, target, prediction},
                        losses::at_positions(missing(name, target, prediction)), options);
}

Loss squared_hinge(const Tensor& target, const Tensor& prediction, const LossOptions& options) {
  constexpr std::string_view name = "squared_hinge";
  return losses::finish({name, target, prediction},
                        losses::at_positions(square(missing(name, target, prediction))), options);
}

Loss categorical_hinge(const Tensor& target, const Tensor& prediction, const LossOptions& options) {
  constexpr std::string_view name = "categorical_hinge";
  const auto [t, p] = losses::whole_rows(name, target, prediction);
  const Tensor others = max((1 - t) * p, {-1}), own = sum(t * p, {-1});
  return losses::finish({name, target, prediction}, relu(others - own + 1), options);
}

}  // namespace maskgrad
