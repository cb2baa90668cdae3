#include <maskgrad/optim/clip.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <maskgrad/autograd/distinct.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/kernels/simd/lines.hpp>
#include <maskgrad/core/pooled.hpp>

namespace maskgrad {
namespace {

/// A length as top * root, which overflows in neither; root is from 1 to the root of how many
/// values there are.
struct Length {
  double top = 1, root = 0;
  double value() const { return top * root; }
};

/// The sum of one value a shard of x, f(values, n); in the shards' order.
template <class F>
double over_shards(const Tensor& x, F&& f) {
  const auto n = rows::total(x);
  const auto shards = extend::shard_count(n, kernels::elementwise_grain);
  extend::Pooled<double> parts(shards);
  extend::dispatch_real("global_norm", x.dtype(), [&]<class T>() {
    const T* values = rows::of<T>(x).data();
    extend::parallel_for(shards, [&](std::int64_t s) {
      const auto begin = extend::shard_begin(n, shards, s);
      parts[s] = f(values + begin, extend::shard_begin(n, shards, s + 1) - begin);
    });
  });
  return std::accumulate(parts.begin(), parts.end(), 0.0);
}

double square_sum(const Tensor& x) {
  return over_shards(x, []<class T>(const T* values, std::int64_t n) {
    return kernels::simd::lines<T>().squares(values, T(0), n);
  });
}

/// The greatest |x|; NaN and infinity as they are.
double greatest(const Tensor& x) {
  double top = 0;
  extend::dispatch_real("global_norm", x.dtype(), [&]<class T>() {
    for (const T v : rows::of<T>(x)) {
      const double a = std::abs(static_cast<double>(v));
      top = a > top || a != a ? a : top;
      if (top != top) return;
    }
  });
  return top;
}

[[noreturn]] void refuse(const Parameter& p) {
  fail<GradError>("global_norm",
                  "the gradient of '{}' {} has values that are NaN or infinite; "
                  "nothing was changed. Look for a division by 0, a log of 0, or a learning "
                  "rate that is too high",
                  p.name(), p.shape());
}

/// The length where squares would overflow or come to nothing: of all values over the greatest.
Length scaled_length(const std::vector<Parameter>& parameters) {
  double top = 0;
  for (const auto& p : parameters) {
    if (!p.grad_value().defined()) continue;
    const double own = greatest(p.grad_value());
    if (!std::isfinite(own)) refuse(p);
    top = std::max(top, own);
  }
  if (top == 0) return {};
  double total = 0;
  for (const auto& p : parameters) {
    if (!p.grad_value().defined()) continue;
    total += over_shards(p.grad_value(), [top](const auto* values, std::int64_t n) {
      double sum = 0;
      for (std::int64_t i = 0; i < n; ++i) {
        const double share = static_cast<double>(values[i]) / top;
        sum += share * share;
      }
      return sum;
    });
  }
  return {top, std::sqrt(total)};
}

Length length(const std::vector<Parameter>& parameters) {
  constexpr double least = 1e-270;  // squares of what counts beside it have all their digits
  double total = 0;
  for (const auto& p : parameters) {
    if (p.grad_value().defined()) total += square_sum(p.grad_value());
  }
  if (total >= least && std::isfinite(total)) return {1, std::sqrt(total)};
  return scaled_length(parameters);
}

/// Each gradient times to / length: in two factors, of which none is subnormal, where one would be.
void rescale(const std::vector<Parameter>& parameters, const Length& length, double to) {
  constexpr double least = 1e-30;  // f32 has it with all digits
  const NoGrad no_grad;
  const double by = to / length.value();
  for (const auto& p : parameters) {
    if (!p.grad_value().defined()) continue;
    const Tensor& g = p.grad_value();
    if (by >= least) {
      p.set_grad(g * by, p.grad_count());
      continue;
    }
    const Tensor wide = g.dtype() == DType::f64 ? g : cast(g, DType::f64);
    p.set_grad(cast(wide / length.top * (to / length.root), g.dtype()), p.grad_count());
  }
}

}  // namespace

double detail::norm_of_distinct(const std::vector<Parameter>& parameters) {
  return length(parameters).value();
}

double global_norm(const std::vector<Parameter>& parameters) {
  return detail::norm_of_distinct(detail::distinct(parameters));
}

double clip_by_global_norm(const std::vector<Parameter>& parameters, double max_norm) {
  if (!(max_norm > 0)) {
    fail<OptionError>("clip_by_global_norm", "max_norm is {}; expected a number above 0", max_norm);
  }
  const auto each = detail::distinct(parameters);
  const Length norm = length(each);
  if (norm.value() > max_norm) rescale(each, norm, max_norm);
  return norm.value();
}

void clip_by_value(const std::vector<Parameter>& parameters, double limit) {
  if (!(limit > 0)) {
    fail<OptionError>("clip_by_value", "the limit is {}; expected a number above 0", limit);
  }
  const auto each = detail::distinct(parameters);
  detail::norm_of_distinct(each);  // refuses what is not finite
  const NoGrad no_grad;
  for (const auto& p : each) {
    if (p.grad_value().defined()) p.set_grad(clip(p.grad_value(), -limit, limit), p.grad_count());
  }
}

}  // namespace maskgrad
