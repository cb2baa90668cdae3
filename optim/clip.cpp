#include <maskgrad/optim/clip.hpp>

#include <cmath>
#include <numeric>

#include <maskgrad/autograd/distinct.hpp>
#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/unary.hpp>
#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/kernels/simd/lines.hpp>
#include <maskgrad/core/pooled.hpp>

namespace maskgrad {
namespace {

double square_sum(const Tensor& x) {
  const auto n = rows::total(x);
  const auto shards = shard_count(n, kernels::elementwise_grain);
  Pooled<double> parts(shards);
  dispatch_real("global_norm", x.dtype(), [&]<class T>() {
    const T* values = rows::of<T>(x).data();
    parallel_for(shards, [&](std::int64_t s) {
      const auto begin = shard_begin(n, shards, s);
      parts[s] = kernels::simd::lines<T>().squares(values + begin, T(0),
                                                   shard_begin(n, shards, s + 1) - begin);
    });
  });
  return std::accumulate(parts.begin(), parts.end(), 0.0);
}

}  // namespace

double detail::norm_of_distinct(const std::vector<Parameter>& parameters) {
  double total = 0;
  for (const auto& p : parameters) {
    if (!p.grad().defined()) continue;
    const double part = square_sum(p.grad());
    if (!std::isfinite(part)) {
      fail<GradError>("global_norm",
                      "the gradient of '{}' {} has values that are NaN or infinite; "
                      "nothing was changed. Look for a division by 0, a log of 0, or a learning "
                      "rate that is too high",
                      p.name(), p.shape());
    }
    total += part;
  }
  return std::sqrt(total);
}

double global_norm(const std::vector<Parameter>& parameters) {
  return detail::norm_of_distinct(detail::distinct(parameters));
}

double clip_by_global_norm(const std::vector<Parameter>& parameters, double max_norm) {
  if (!(max_norm > 0)) {
    fail<OptionError>("clip_by_global_norm", "max_norm is {}; expected a number above 0", max_norm);
  }
  const auto each = detail::distinct(parameters);
  const double norm = detail::norm_of_distinct(each);
  if (norm <= max_norm) return norm;
  const NoGrad no_grad;
  for (const auto& p : each) {
    if (p.grad().defined()) p.set_grad(p.grad() * (max_norm / norm), p.grad_count());
  }
  return norm;
}

void clip_by_value(const std::vector<Parameter>& parameters, double limit) {
  if (!(limit > 0)) {
    fail<OptionError>("clip_by_value", "the limit is {}; expected a number above 0", limit);
  }
  const auto each = detail::distinct(parameters);
  detail::norm_of_distinct(each);  // refuses what is not finite
  const NoGrad no_grad;
  for (const auto& p : each) {
    if (p.grad().defined()) p.set_grad(clip(p.grad(), -limit, limit), p.grad_count());
  }
}

}  // namespace maskgrad
