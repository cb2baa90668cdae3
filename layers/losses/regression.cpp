#include <maskgrad/layers/losses/regression.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/binary.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/elementwise/unary.hpp>
#include <maskgrad/autograd/ops/normalization/normalize.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/core/kernels/simd/arrays.hpp>
#include <maskgrad/layers/losses/weights.hpp>

namespace maskgrad {
namespace {

constexpr double epsilon = 1e-7;  // Keras's

struct HuberOf {
  static constexpr GradientReads keeps = GradientReads::input;
  double delta;

  template <class T>
  T value(T e) const {
    const T d = static_cast<T>(delta), a = std::abs(e);
    return a <= d ? e * (e / 2) : d * (a - d / 2);
  }
  template <class T>
  T slope(T e) const {
    const T d = static_cast<T>(delta);
    return e > d ? d : e < -d ? -d : e;
  }
};

/// 100 |p - t| / max(|t|, epsilon), which overflows or comes to nothing only where that does.
struct Percentage {
  static constexpr bool reads = true, reals = true;

  template <class T>
  static T whole(T t) {
    const T a = std::abs(t), least = static_cast<T>(epsilon);
    return a > least ? a : least;
  }
  template <class T>
  static T value(T t, T p) {
    const T of = whole(t), e = std::abs(p - t);
    const bool finite = e <= std::numeric_limits<T>::max();
    const T share = finite ? e / of : std::abs(p / 2 - t / 2) / (of / 2);
    return e > 1 ? 100 * share : 100 * e / of;
  }
  template <class T>
  static T db(T dy, T t, T p) {
    const T sign = p > t ? T(1) : p < t ? T(-1) : p - t;
    return dy == 0 ? T(0) : dy * (100 * sign / whole(t));
  }
  template <class T>
  static T da(T dy, T t, T p) {
    const T of_whole = std::abs(t) > static_cast<T>(epsilon) ? value(t, p) / t : T(0);
    return -db(dy, t, p) - (dy == 0 ? T(0) : dy * of_whole);
  }
};

struct LogCosh {
  static constexpr GradientReads keeps = GradientReads::input;

  template <class T>
  void values(const T* e, T* y, std::int64_t n) const {
    kernels::simd::log_cosh(e, y, n);
  }
  template <class T>
  void slopes(const T* e, T* s, std::int64_t n) const {
    kernels::simd::tanh(e, s, n);
  }
};

/// 1 for each row that has a value other than 0, else 0; undefined where all have one.
Tensor rows_not_0(const Tensor& x) {
  if (x.is_meta() || x.shape().back() == 0) return {};
  const Tensor some = rows::make(x.shape().sub(0, x.rank() - 1) + Shape{1}, x.dtype(), x.mask());
  const auto width = static_cast<std::size_t>(x.shape().back());
  return dispatch_real("rows_not_0", x.dtype(), [&]<class T>() {
    const auto values = rows::of<T>(x);
    bool all = true;
    std::size_t at = 0;
    for (T& to : rows::of_mutable<T>(some)) {
      const auto row = values.subspan(at, width);
      to = std::any_of(row.begin(), row.end(), [](T v) { return v != 0; });
      all = all && to != 0;
      at += width;
    }
    return all ? Tensor() : some;
  });
}

/// x / |x|; 0 where it is 0, with the gradient 0: it has no direction.
Tensor direction(const Tensor& x) {
  constexpr double least = std::numeric_limits<double>::denorm_min();
  const Tensor unit = unit_normalize(x, least), some = rows_not_0(x);
  return some.defined() ? losses::unless_0(some, unit) : unit;
}

/// The mean over features of f(prediction - target).
template <class Options, class F>
Loss of_error(std::string_view name, const Tensor& target, const Tensor& prediction,
              const Options& options, F f) {
  const auto in = losses::read_values(name, target, prediction, options);
  return in.weights.loss(losses::at_positions(f(in.prediction - in.target)));
}

}  // namespace

Loss mean_squared_error(const Tensor& target, const Tensor& prediction,
                        const LossOptions& options) {
  return of_error("mean_squared_error", target, prediction, options,
                  [](const Tensor& e) { return square(e); });
}

Loss mean_absolute_error(const Tensor& target, const Tensor& prediction,
                         const LossOptions& options) {
  return of_error("mean_absolute_error", target, prediction, options,
                  [](const Tensor& e) { return abs(e); });
}

Loss mean_absolute_percentage_error(const Tensor& target, const Tensor& prediction,
                                    const LossOptions& options) {
  constexpr std::string_view name = "mean_absolute_percentage_error";
  const auto in = losses::read_values(name, target, prediction, options);
  return in.weights.loss(
      losses::at_positions(binary_op::binary<Percentage>(name, in.target, in.prediction)));
}

Loss mean_squared_logarithmic_error(const Tensor& target, const Tensor& prediction,
                                    const LossOptions& options) {
  constexpr std::string_view name = "mean_squared_logarithmic_error";
  const auto in = losses::read_values(name, target, prediction, options);
  // |log(1 + p) - log(1 + t)|, in which no digits cancel.
  const Tensor p = maximum(in.prediction, epsilon), t = maximum(in.target, epsilon);
  const Tensor e = log1p(abs(p - t) / (1 + minimum(p, t)));
  return in.weights.loss(losses::at_positions(square(e)));
}

Loss huber(const Tensor& target, const Tensor& prediction, const HuberOptions& options) {
  if (!(options.delta > 0)) {
    fail<OptionError>("huber", "the option .delta is {}; expected a number above 0", options.delta);
  }
  return of_error("huber", target, prediction, options,
                  [&](const Tensor& e) { return unary("huber", e, HuberOf{options.delta}); });
}

Loss log_cosh(const Tensor& target, const Tensor& prediction, const LossOptions& options) {
  return of_error("log_cosh", target, prediction, options,
                  [](const Tensor& e) { return unary("log_cosh", e, LogCosh{}); });
}

Loss cosine_similarity(const Tensor& target, const Tensor& prediction, const LossOptions& options) {
  constexpr std::string_view name = "cosine_similarity";
  const auto in = losses::read_rows(name, target, prediction, options);
  const Tensor t = direction(in.target), p = direction(in.prediction);
  return in.weights.loss(-sum(t * p, {-1}));
}

}  // namespace maskgrad
