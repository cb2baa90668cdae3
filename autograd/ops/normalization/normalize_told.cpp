#include <maskgrad/autograd/ops/normalization/normalize_told.hpp>

#include <vector>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/reduce/standardize.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>

namespace maskgrad::normalization {
namespace {

/// The result before gamma and beta, made again of other operations.
Tensor normal(const Told& call, const Tensor& x) {
  if (call.by == By::length) return x / maximum(norm(x, {-1}, true), call.epsilon);
  const auto features = x.shape().back();
  const Shape lead = x.shape().sub(0, x.rank() - 1);
  const Tensor z = reshape(x, lead + Shape{call.groups, features / call.groups});
  std::vector<int> axes{-1};
  for (int i = 1; call.over_time && i + 1 < x.rank(); ++i) axes.push_back(i);
  const Tensor y = call.by == By::variance
                       ? standardize(z, Axes(axes), call.epsilon)
                       : z * rsqrt(mean(square(z), Axes(axes), true) + call.epsilon);
  return reshape(y, x.shape());
}

}  // namespace

void tell(const Told& call, const Tensor& dy, const Tensor& x, const Tensor& gamma,
          Adjoint& grads) {
  const Tensor y = normal(call, x);
  grads.through(gamma.defined() ? y * gamma : y);
  std::vector<int> lead;
  for (int i = 0; i + 1 < x.rank(); ++i) lead.push_back(i);
  if (grads.wants(2)) grads.add(2, sum(dy, Axes(lead)));
}

}  // namespace maskgrad::normalization
