#include <maskgrad/optim/clip.hpp>

#include <cmath>

#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/unary.hpp>

namespace maskgrad {
namespace {

double square_sum(const Tensor& x) {
  double total = 0;
  dispatch_real("global_norm", x.dtype(), [&]<class T>() {
    for (T v : rows::of<T>(x)) total += static_cast<double>(v) * static_cast<double>(v);
  });
  return total;
}

}  // namespace

double global_norm(const std::vector<Parameter>& parameters) {
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

double clip_by_global_norm(const std::vector<Parameter>& parameters, double max_norm) {
  if (!(max_norm > 0)) {
    fail<OptionError>("clip_by_global_norm", "max_norm is {}; expected a number above 0", max_norm);
  }
  const double norm = global_norm(parameters);
  if (norm <= max_norm) return norm;
  const NoGrad no_grad;
  for (const auto& p : parameters) {
    if (p.grad().defined()) p.set_grad(p.grad() * (max_norm / norm), p.grad_count());
  }
  return norm;
}

void clip_by_value(const std::vector<Parameter>& parameters, double limit) {
  if (!(limit > 0)) {
    fail<OptionError>("clip_by_value", "the limit is {}; expected a number above 0", limit);
  }
  global_norm(parameters);  // refuses what is not finite
  const NoGrad no_grad;
  for (const auto& p : parameters) {
    if (p.grad().defined()) p.set_grad(clip(p.grad(), -limit, limit), p.grad_count());
  }
}

}  // namespace maskgrad
