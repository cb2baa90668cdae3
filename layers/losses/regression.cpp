#include <maskgrad/layers/losses/regression.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/binary.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/elementwise/unary.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/core/kernels/simd/arrays.hpp>
#include <maskgrad/layers/losses/entropies.hpp>
#include <maskgrad/layers/losses/weights.hpp>

namespace maskgrad {
namespace {

using losses::epsilon;

/// 100 |p - t| / max(|t|, epsilon), which overflows or comes to nothing only where that does.
template <class T>
T percentage(T t, T p) {
  if constexpr (Real<T>) {
    const T of = std::max(std::abs(t), static_cast<T>(epsilon)), e = std::abs(p - t);
    const bool finite = e <= std::numeric_limits<T>::max();
    const T share = finite ? e / of : std::abs(p / 2 - t / 2) / (of / 2);
    return e > 1 ? 100 * share : 100 * e / of;
  } else {
    return 100 * abs(p - t) / maximum(abs(t), epsilon);
  }
}

/// What of dy goes to p.
constexpr auto percentage_to_p = []<class T>(T dy, T t, T p) {
  if constexpr (Real<T>) {
    const T direction = p > t ? T(1) : p < t ? T(-1) : p - t;
    const T of = std::max(std::abs(t), static_cast<T>(epsilon));
    return dy == 0 ? T(0) : dy * (100 * direction / of);
  } else {
    return dy * (100 * sign(p - t) / maximum(abs(t), epsilon));
  }
};

/// What goes to t, which is above the line and, unless it is tiny, below.
constexpr auto percentage_to_t = []<class T>(T dy, T t, T p) {
  using namespace binary_op;
  if constexpr (Real<T>) {
    const T below = std::abs(t) > static_cast<T>(epsilon) ? percentage(t, p) / t : T(0);
    return -percentage_to_p(dy, t, p) - (dy == 0 ? T(0) : dy * below);
  } else {
    const Tensor below = where(greater(abs(t), epsilon), percentage(t, p) / t, nothing(t));
    return -percentage_to_p(dy, t, p) - dy * below;
  }
};

/// |log(1 + p) - log(1 + t)| of what is at least epsilon, in which no digits cancel.
template <class T>
void log_errors(const T* t, const T* p, T* y, std::int64_t n) {
  std::array<T, row_loss::block> share;
  for (std::int64_t i = 0; i < n; ++i) {
    const T low = static_cast<T>(epsilon), a = t[i] < low ? low : t[i], b = p[i] < low ? low : p[i];
    const T x = std::abs(b - a) / (1 + (b < a ? b : a)), sum = 1 + x;
    // log(sum) is that of 1 + x as it was rounded: x / (sum - 1) of the right one.
    share[static_cast<std::size_t>(i)] = sum == 1                                ? x
                                         : !(x <= std::numeric_limits<T>::max()) ? T(1)
                                                                                 : x / (sum - 1);
    y[i] = sum;
  }
  kernels::simd::log(y, y, n);
  for (std::int64_t i = 0; i < n; ++i) {
    const T s = share[static_cast<std::size_t>(i)];
    y[i] = y[i] == 0 ? s : y[i] * s;
  }
}

/// The mean over features of a function of prediction - target: `values(e, y, n)` with `slopes(e, s,
/// n)`, and by operations `f(e)`.
template <class Options, class Values, class Slopes, class F>
Loss of_error(std::string_view name, const Tensor& target, const Tensor& prediction,
              const Options& options, Values values, Slopes slopes, F f) {
  const auto in = losses::read_values(name, target, prediction, options);
  return losses::mean_over_features(name, in, row_loss::mean_of_error(values, slopes),
                                    [f](const Tensor& t, const Tensor& p) { return f(p - t); });
}
/// The same of formulas of one value.
template <class Options, class Value, class Slope, class F>
Loss of_each_error(std::string_view name, const Tensor& target, const Tensor& prediction,
                   const Options& options, Value value, Slope slope, F f) {
  const auto each = [](auto formula) {
    return [formula](const auto* e, auto* y, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i) y[i] = formula(e[i]);
    };
  };
  return of_error(name, target, prediction, options, each(value), each(slope), f);
}

}  // namespace

Loss mean_squared_error(const Tensor& target, const Tensor& prediction,
                        const LossOptions& options) {
  return of_each_error(
      "mean_squared_error", target, prediction, options, [](auto e) { return e * e; },
      [](auto e) { return 2 * e; }, [](const Tensor& e) { return square(e); });
}

Loss mean_absolute_error(const Tensor& target, const Tensor& prediction,
                         const LossOptions& options) {
  return of_each_error(
      "mean_absolute_error", target, prediction, options, [](auto e) { return std::abs(e); },
      []<class T>(T e) { return T((e > 0) - (e < 0)); }, [](const Tensor& e) { return abs(e); });
}

Loss mean_absolute_percentage_error(const Tensor& target, const Tensor& prediction,
                                    const LossOptions& options) {
  constexpr std::string_view name = "mean_absolute_percentage_error";
  const auto in = losses::read_values(name, target, prediction, options);
  const auto share = [](auto formula) {
    return [formula](auto d, const auto* t, const auto* p, auto* to, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i) to[i] = formula(d, t[i], p[i]);
    };
  };
  const auto values = [](const auto* t, const auto* p, auto* y, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = percentage(t[i], p[i]);
  };
  return losses::mean_over_features(
      name, in, row_loss::Mean{values, share(percentage_to_t), share(percentage_to_p)},
      [op = name](const Tensor& t, const Tensor& p) {
        return binary(op, t, p,
                      binary_op::function([](auto a, auto b) { return percentage(a, b); },
                                          percentage_to_t, percentage_to_p));
      });
}

Loss mean_squared_logarithmic_error(const Tensor& target, const Tensor& prediction,
                                    const LossOptions& options) {
  constexpr std::string_view name = "mean_squared_logarithmic_error";
  const auto in = losses::read_values(name, target, prediction, options);
  const auto share = [](auto d, const auto* to_own, const auto* other, auto* to, std::int64_t n) {
    log_errors(to_own, other, to, n);
    using T = std::remove_reference_t<decltype(*to)>;
    for (std::int64_t i = 0; i < n; ++i) {
      const T own = to_own[i], slope = 2 * to[i] / (1 + own);
      to[i] = own < T(epsilon) ? T(0) : own > other[i] ? d * slope : -d * slope;
    }
  };
  const row_loss::Mean kernel{[](const auto* t, const auto* p, auto* y, std::int64_t n) {
                                log_errors(t, p, y, n);
                                for (std::int64_t i = 0; i < n; ++i) y[i] *= y[i];
                              },
                              [share](auto d, const auto* t, const auto* p, auto* to,
                                      std::int64_t n) { share(d, t, p, to, n); },
                              [share](auto d, const auto* t, const auto* p, auto* to,
                                      std::int64_t n) { share(d, p, t, to, n); }};
  return losses::mean_over_features(name, in, kernel, [](const Tensor& target, const Tensor& x) {
    const Tensor p = maximum(x, epsilon), t = maximum(target, epsilon);
    return square(log1p(abs(p - t) / (1 + minimum(p, t))));
  });
}

Loss huber(const Tensor& target, const Tensor& prediction, const HuberOptions& options) {
  if (!(options.delta > 0)) {
    fail<OptionError>("huber", "the option .delta is {}; expected a number above 0", options.delta);
  }
  const double delta = options.delta;
  const auto value = [delta]<class T>(T e) {
    const T d = static_cast<T>(delta), a = std::abs(e);
    return a <= d ? e * (e / 2) : d * (a - d / 2);
  };
  const auto slope = [delta]<class T>(T e) {
    if constexpr (Real<T>) {
      const T d = static_cast<T>(delta);
      return e > d ? d : e < -d ? -d : e;
    } else {
      return clip(e, -delta, delta);
    }
  };
  return of_each_error("huber", target, prediction, options, value, slope,
                       [value, slope](const Tensor& e) {
                         return unary("huber", e, unary_op::of_input(value, slope));
                       });
}

Loss log_cosh(const Tensor& target, const Tensor& prediction, const LossOptions& options) {
  const auto values = [](auto* e, auto* y, auto n) { kernels::simd::log_cosh(e, y, n); };
  const auto slopes = [](auto* e, auto* s, auto n) { kernels::simd::tanh(e, s, n); };
  const auto function = unary_op::of_input(values, slopes, [](const Tensor& e) { return tanh(e); });
  return of_error("log_cosh", target, prediction, options, values, slopes,
                  [function](const Tensor& e) { return unary("log_cosh", e, function); });
}

}  // namespace maskgrad
