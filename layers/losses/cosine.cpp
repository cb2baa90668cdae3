#include <algorithm>
#include <cmath>
#include <limits>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/normalization/normalize.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/layers/losses/pairs.hpp>
#include <maskgrad/layers/losses/regression.hpp>
#include <maskgrad/layers/losses/weights.hpp>

namespace maskgrad {
namespace {

/// Minus the cosine of the angle between two rows, as a kernel of row_loss. Sums run in f64.
struct Cosine {
  /// A row as its values times `near`, a power of two that keeps their squares within f64.
  struct Side {
    double near = 1, squares = 0;
    double length() const { return std::sqrt(squares); }
    /// What makes near times a value one of the row of length 1; 0 where it has no direction.
    double unit() const { return squares == 0 ? 0 : 1 / length(); }
  };
  struct Angle {
    Side t, p;
    double products = 0;
    double cosine() const { return products * t.unit() * p.unit(); }
  };
  /// With d, which goes to the row.
  struct Row {
    Angle angle;
    double d, cosine;
  };

  template <Real T>
  static Angle sums(const T* t, const T* p, std::int64_t n, Angle angle) {
    constexpr std::int64_t lanes = 16;
    const double near_t = angle.t.near, near_p = angle.p.near;
    double tt[lanes] = {}, pp[lanes] = {}, tp[lanes] = {};
    const auto add = [&](std::int64_t at, std::int64_t lane) {
      const double a = t[at] * near_t, b = p[at] * near_p;
      tt[lane] += a * a;
      pp[lane] += b * b;
      tp[lane] += a * b;
    };
    std::int64_t at = 0;
    for (; at + lanes <= n; at += lanes) {
      for (std::int64_t lane = 0; lane < lanes; ++lane) add(at + lane, lane);
    }
    for (std::int64_t lane = 0; at + lane < n; ++lane) add(at + lane, lane);
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      angle.t.squares += tt[lane];
      angle.p.squares += pp[lane];
      angle.products += tp[lane];
    }
    return angle;
  }
  /// 1 where squares of f64 keep their digits, else what takes the greatest value to about 1.
  template <Real T>
  static double near(const T* x, std::int64_t n, double squares) {
    if (squares > 0x1p-800 && squares < 0x1p+800) return 1;
    double top = 0;
    for (std::int64_t i = 0; i < n; ++i) top = std::max<double>(top, std::abs(x[i]));
    return top > 0 && std::isfinite(top) ? std::exp2(std::clamp(-std::logb(top), -1020., 1020.))
                                         : 1;
  }
  template <Real T>
  static Angle of(const T* t, const T* p, std::int64_t n) {
    const Angle plain = sums(t, p, n, {});
    const double near_t = near(t, n, plain.t.squares), near_p = near(p, n, plain.p.squares);
    if (near_t == 1 && near_p == 1) return plain;
    return sums(t, p, n, {{near_t}, {near_p}});
  }

  template <Real T>
  T value(const T* t, const T* p, std::int64_t n) const {
    return static_cast<T>(-of(t, p, n).cosine());
  }
  template <Real T>
  Row row(T d, const T* t, const T* p, std::int64_t n) const {
    const Angle angle = of(t, p, n);
    return {angle, static_cast<double>(d), angle.cosine()};
  }
  template <Real T>
  void gradients(const Row& row, const T* t, const T* p, std::int64_t n, T* dt, T* dp) const {
    if (dt) to_one(row, row.angle.t, t, row.angle.p, p, n, dt);
    if (dp) to_one(row, row.angle.p, p, row.angle.t, t, n, dp);
  }

 private:
  /// At a right angle to the row itself: the other's direction without what points its own way.
  template <Real T>
  static void to_one(const Row& row, const Side& own, const T* x, const Side& other, const T* y,
                     std::int64_t n, T* to) {
    const double unit_x = own.unit(), unit_y = other.unit(), near_x = own.near, near_y = other.near;
    const double share = -row.d * unit_x * near_x, cosine = row.cosine;
    for (std::int64_t i = 0; i < n; ++i) {
      const double across = y[i] * near_y * unit_y - cosine * (x[i] * near_x * unit_x);
      to[i] = static_cast<T>(share * across);
    }
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

}  // namespace

Loss cosine_similarity(const Tensor& target, const Tensor& prediction, const LossOptions& options) {
  constexpr std::string_view name = "cosine_similarity";
  const auto in = losses::read_rows(name, target, prediction, options);
  return in.weights.loss(row_loss::of_rows(
      name, in.target, in.prediction, Cosine(),
      [](const Tensor& t, const Tensor& p) { return -sum(direction(t) * direction(p), {-1}); }));
}

}  // namespace maskgrad
