#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include <maskgrad/autograd/ops/loss/row_loss.hpp>
#include <maskgrad/core/kernels/selected.hpp>
#include <maskgrad/core/kernels/simd/arrays.hpp>

// Cross entropies of rows, as kernels of row_loss_of.
namespace maskgrad::row_loss {

/// Probabilities are kept so far from 0 and 1: Keras's epsilon.
inline constexpr double entropy_epsilon = 1e-7;

/// log(p(i)) of probabilities that are kept apart from 0 and 1.
template <class P, Real T>
void logs_clipped(const P& p, T* y, std::int64_t n) {
  const T low = static_cast<T>(entropy_epsilon), most = std::log1p(-low);
  for (std::int64_t i = 0; i < n; ++i) {
    const T v = p(i);
    y[i] = v < low ? low : v > 1 ? T(1) : v;
  }
  kernels::simd::log(y, y, n);
  for (std::int64_t i = 0; i < n; ++i) y[i] = y[i] > most ? most : y[i];
}
template <Real T>
void log_clipped(const T* p, T* y, std::int64_t n) {
  logs_clipped([p](std::int64_t i) { return p[i]; }, y, n);
}

/// log(1 - p), with all digits for a small p.
template <Real T>
void log_clipped_rest(const T* p, T* y, std::int64_t n) {
  const T low = static_cast<T>(entropy_epsilon), high = std::nextafter(T(1), T(0));
  const T least = std::log(low);
  for (std::int64_t at = 0; at < n; at += block) {
    const auto m = std::min(block, n - at);
    std::array<T, block> share;
    for (std::int64_t i = 0; i < m; ++i) {
      const T v = p[at + i], c = v < low ? low : v > high ? high : v, rest = 1 - c;
      // log(rest) is that of 1 - c as it was rounded: c / (1 - rest) of the right one.
      share[static_cast<std::size_t>(i)] = c / (1 - rest);
      y[at + i] = rest;
    }
    kernels::simd::log(y + at, y + at, m);
    for (std::int64_t i = 0; i < m; ++i) {
      const T l = y[at + i] * share[static_cast<std::size_t>(i)];
      y[at + i] = l < least ? least : l;
    }
  }
}

/// Whether the log of p or of 1 - p has a slope there.
template <Real T>
constexpr bool between(T p) {
  constexpr T low = static_cast<T>(entropy_epsilon);
  return (p >= low) & (p <= 1 - low);
}

/// Of probabilities, value by value.
inline constexpr auto binary_entropies = []<class T>(const T* t, const T* p, T* y, std::int64_t n) {
  std::array<T, block> log_p;
  log_clipped(p, log_p.data(), n);
  log_clipped_rest(p, y, n);
  for (std::int64_t i = 0; i < n; ++i) {
    y[i] = -(t[i] * log_p[static_cast<std::size_t>(i)] + (1 - t[i]) * y[i]);
  }
};
inline constexpr auto binary_entropies_to_t = []<class T>(T d, const T*, const T* p, T* to,
                                                          std::int64_t n) {
  std::array<T, block> log_p;
  log_clipped(p, log_p.data(), n);
  log_clipped_rest(p, to, n);
  for (std::int64_t i = 0; i < n; ++i) to[i] = d * (to[i] - log_p[static_cast<std::size_t>(i)]);
};
inline constexpr auto binary_entropies_to_p = []<class T>(T d, const T* t, const T* p, T* to,
                                                          std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    const T slope = (1 - t[i]) / (1 - p[i]) - t[i] / p[i];
    to[i] = between(p[i]) ? d * slope : T(0);
  }
};

/// Whether the logit is infinite and the target's weight there 0.
template <Real T>
constexpr bool unread_logit(T t, T x) {
  return !(std::abs(x) <= std::numeric_limits<T>::max()) && x == x && (x > 0 ? 1 - t : t) == 0;
}

/// Of logits: log(1 + e^-|x|) + |x| (1 - t), or |x| t below 0: each by itself, so that a small loss
/// is exact. At a target of 0 or 1 half of the sum is not read, so that an infinite logit there has
/// no slope.
inline constexpr auto logit_entropies = []<class T>(const T* t, const T* x, T* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = -std::abs(x[i]);
  kernels::simd::softplus(y, y, n);
  for (std::int64_t i = 0; i < n; ++i) {
    y[i] += kernels::selected(x[i] > 0 ? 1 - t[i] : t[i], std::abs(x[i]));
  }
};
inline constexpr auto logit_entropies_to_t = []<class T>(T d, const T* t, const T* x, T* to,
                                                         std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) to[i] = unread_logit(t[i], x[i]) ? T(0) : -d * x[i];
};
inline constexpr auto logit_entropies_to_x = []<class T>(T d, const T* t, const T* x, T* to,
                                                         std::int64_t n) {
  kernels::simd::sigmoid(x, to, n);
  for (std::int64_t i = 0; i < n; ++i) to[i] = d * (to[i] - t[i]);
};

/// -sum(t log p) of a row, where what has the target 0 is not read.
struct Categorical {
  /// `row.write(p, y, n)` gives the logs.
  template <Real T, class Row>
  static T entropy(const Row& row, const T* t, const T* p, std::int64_t n) {
    const auto terms = [&row](const T* own_t, const T* own_p, T* y, std::int64_t m) {
      row.write(own_p, y, m);
      for (std::int64_t i = 0; i < m; ++i) y[i] = own_t[i] == 0 ? T(0) : own_t[i] * y[i];
    };
    return static_cast<T>(-sum_of(terms, t, p, n));
  }
  /// What goes to t, of logs that stand in `to`.
  template <Real T>
  static void to_t(T d, const T* t, T* to, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      const bool finite = std::abs(to[i]) <= std::numeric_limits<T>::max();
      to[i] = t[i] != 0 || finite ? -d * to[i] : T(0);
    }
  }
};

/// From probabilities, over their sum.
struct CategoricalOfProbabilities {
  template <Real T>
  struct Row {
    T d, sum, shift;  ///< the least sum is epsilon; what goes to each of the row through the sum
    void write(const T* p, T* y, std::int64_t n) const {
      logs_clipped([p, all = sum](std::int64_t i) { return p[i] / all; }, y, n);
    }
    /// What the bounds of p / sum are to p. Of -t log(p / sum) only what is between has a slope.
    T low() const { return static_cast<T>(entropy_epsilon) * sum; }
    T high() const { return (1 - static_cast<T>(entropy_epsilon)) * sum; }
  };
  template <Real T>
  static T sum(const T* p, std::int64_t n) {
    const T low = static_cast<T>(entropy_epsilon);
    const T all = static_cast<T>(kernels::simd::lines<T>().sum(p, n));
    return all < low ? low : all;
  }

  template <Real T>
  T value(const T* t, const T* p, std::int64_t n) const {
    return Categorical::entropy(Row<T>{T(1), sum(p, n), T(0)}, t, p, n);
  }
  template <Real T>
  Row<T> row(T d, const T* t, const T* p, std::int64_t n) const {
    Row<T> row{d, sum(p, n), T(0)};
    if (row.sum > static_cast<T>(entropy_epsilon)) {
      const T low = row.low(), high = row.high();
      const auto counted = [low, high](const T* own_t, const T* own_p, T* y, std::int64_t m) {
        for (std::int64_t i = 0; i < m; ++i) {
          const bool between = (own_p[i] >= low) & (own_p[i] <= high);
          y[i] = between ? own_t[i] : T(0);
        }
      };
      row.shift = d * static_cast<T>(sum_of(counted, t, p, n)) / row.sum;
    }
    return row;
  }
  template <Real T>
  void gradients(const Row<T>& row, const T* t, const T* p, std::int64_t n, T* dt, T* dp) const {
    if (dt) {
      row.write(p, dt, n);
      Categorical::to_t(row.d, t, dt, n);
    }
    const T low = row.low(), high = row.high(), d = row.d, shift = row.shift;
    for (std::int64_t i = 0; dp && i < n; ++i) {
      const bool counted = (t[i] != 0) & (p[i] >= low) & (p[i] <= high);
      const T slope = d * t[i] / p[i];
      dp[i] = shift - (counted ? slope : T(0));
    }
  }
};

/// From logits.
struct CategoricalOfLogits {
  template <Real T>
  struct Row {
    T d, top, log_sum, all;  ///< the greatest; log(sum(e^(x - top))); d times the sum of t
    void write(const T* x, T* y, std::int64_t n) const {
      for (std::int64_t i = 0; i < n; ++i) y[i] = (x[i] - top) - log_sum;
    }
  };
  template <Real T>
  static Row<T> of(const T* x, std::int64_t n) {
    const auto& lines = kernels::simd::lines<T>();
    const T top = lines.greatest(x, n);
    return {T(1), top, static_cast<T>(std::log(lines.sum_exp(x, top, n))), T(0)};
  }

  template <Real T>
  T value(const T* t, const T* x, std::int64_t n) const {
    return Categorical::entropy(of(x, n), t, x, n);
  }
  template <Real T>
  Row<T> row(T d, const T* t, const T* x, std::int64_t n) const {
    Row<T> row = of(x, n);
    row.d = d;
    row.all = d * static_cast<T>(kernels::simd::lines<T>().sum(t, n));
    return row;
  }
  template <Real T>
  void gradients(const Row<T>& row, const T* t, const T* x, std::int64_t n, T* dt, T* dx) const {
    if (dt) {
      row.write(x, dt, n);
      Categorical::to_t(row.d, t, dt, n);
    }
    if (!dx) return;
    if (row.all == 0) {  // nothing is read for it
      for (std::int64_t i = 0; i < n; ++i) dx[i] = -row.d * t[i];
      return;
    }
    row.write(x, dx, n);
    kernels::simd::lines<T>().exp_scaled(dx, T(0), row.all, false, dx, n);
    for (std::int64_t i = 0; i < n; ++i) dx[i] -= row.d * t[i];
  }
};

}  // namespace maskgrad::row_loss
