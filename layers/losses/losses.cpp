#include <maskgrad/layers/losses/losses.hpp>

#include <maskgrad/autograd/check.hpp>
#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/cross_entropy.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/autograd/ops/unary.hpp>

namespace maskgrad {
namespace {

void check_pair(std::string_view where, const Tensor& target, const Tensor& prediction) {
  check::real(where, prediction);
  check::same_dtype(where, target, prediction);
  if (target.rank() < 1 || !fits(target.shape(), prediction.shape())) {
    fail<ShapeError>(where,
                     "target {} for prediction {}; expected one shape [batch, ..., "
                     "features]. Nothing is broadcast here: reshape one of them",
                     target.describe(), prediction.describe());
  }
}

/// One value for each position: the mean over features, unless they are positions themselves.
Tensor at_positions(const Tensor& values) {
  const int last = values.rank() - 1;
  const bool masked = values.has_mask() && values.mask().rank() > last;
  return masked || last == 0 ? values : mean(values, {last});
}

}  // namespace

Loss mean_squared_error(const Tensor& target, const Tensor& prediction,
                        const LossOptions& options) {
  constexpr std::string_view where = "mean_squared_error";
  check_pair(where, target, prediction);
  return make_loss(std::string(where), at_positions(square(prediction - target)), options);
}

Loss sparse_categorical_crossentropy(const Tensor& target, const Tensor& logits,
                                     const LossOptions& options) {
  return make_loss("sparse_categorical_crossentropy", sparse_cross_entropy(target, logits),
                   options);
}

}  // namespace maskgrad
