#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/recurrent_case.hpp"

namespace maskgrad::tests {

inline double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

/// One step as Keras writes it, in double and one number at a time.
struct NaiveCell {
  const Case<double>& k;
  double input(std::int64_t row, std::int64_t column) const {
    double sum = k.b.empty() ? 0 : k.b[column];
    for (std::int64_t f = 0; f < k.features; ++f) {
      sum += k.x[row * k.features + f] * k.w[f * k.gates() * k.units + column];
    }
    return sum;
  }
  double recurrent(const std::vector<double>& h, std::int64_t column) const {
    double sum = 0;
    for (std::int64_t u = 0; u < k.units; ++u) sum += h[u] * k.r[u * k.gates() * k.units + column];
    return sum;
  }

  void step(std::int64_t row, std::vector<double>& h, std::vector<double>& c) const {
    const std::int64_t n = k.units;
    std::vector<double> next(h), reset(h);
    const bool two = k.cell == Cell::gru && k.reset_after;
    auto hidden = [&](const std::vector<double>& state, std::int64_t column) {
      return recurrent(state, column) + (two && !k.b.empty() ? k.b[3 * n + column] : 0);
    };
    if (k.cell == Cell::gru && !k.reset_after) {
      for (std::int64_t u = 0; u < n; ++u) {
        reset[u] = h[u] * sigmoid(input(row, n + u) + hidden(h, n + u));
      }
    }
    for (std::int64_t u = 0; u < n; ++u) {
      if (k.cell == Cell::simple_rnn) {
        next[u] = std::tanh(input(row, u) + hidden(h, u));
      } else if (k.cell == Cell::gru) {
        const double z = sigmoid(input(row, u) + hidden(h, u));
        const double r = sigmoid(input(row, n + u) + hidden(h, n + u));
        const double m = k.reset_after ? r * hidden(h, 2 * n + u) : hidden(reset, 2 * n + u);
        next[u] = z * h[u] + (1 - z) * std::tanh(input(row, 2 * n + u) + m);
      } else {
        const double i = sigmoid(input(row, u) + hidden(h, u));
        const double f = sigmoid(input(row, n + u) + hidden(h, n + u));
        c[u] = f * c[u] + i * std::tanh(input(row, 2 * n + u) + hidden(h, 2 * n + u));
        next[u] = sigmoid(input(row, 3 * n + u) + hidden(h, 3 * n + u)) * std::tanh(c[u]);
      }
    }
    h = next;
  }
};

inline Results<double> naive(const Case<double>& k) {
  Results<double> y;
  const std::int64_t n = k.units;
  y.out.assign(static_cast<std::size_t>(k.rows() * n), 0);
  for (std::int64_t s = 0; s < k.batch(); ++s) {
    std::vector<double> h(static_cast<std::size_t>(n)), c(h);
    if (!k.h0.empty()) std::copy_n(k.h0.begin() + s * n, n, h.begin());
    if (!k.c0.empty()) std::copy_n(k.c0.begin() + s * n, n, c.begin());
    for (std::int64_t t = 0; t < k.length[s]; ++t) {
      const std::int64_t row = k.first[s] + (k.reverse ? k.length[s] - 1 - t : t);
      NaiveCell{k}.step(row, h, c);
      std::copy_n(h.begin(), n, y.out.begin() + row * n);
    }
    y.h.insert(y.h.end(), h.begin(), h.end());
    if (k.cell == Cell::lstm) y.c.insert(y.c.end(), c.begin(), c.end());
  }
  return y;
}

/// The number whose gradient backward gives.
inline double objective(const Case<double>& k) {
  const auto y = naive(k);
  double sum = 0;
  for (std::size_t i = 0; i < k.dout.size(); ++i) sum += k.dout[i] * y.out[i];
  for (std::size_t i = 0; i < k.dh.size(); ++i) sum += k.dh[i] * y.h[i];
  for (std::size_t i = 0; i < y.c.size() && !k.dc.empty(); ++i) sum += k.dc[i] * y.c[i];
  return sum;
}

/// Central differences by every element of one of the case's arrays; at most `most` of them.
inline void check_gradient(Case<double> k, std::vector<double> Case<double>::*input,
                           const std::vector<double>& got) {
  auto& v = k.*input;
  REQUIRE(v.size() == got.size());
  const double step = 1e-5;
  const std::size_t stride = std::max<std::size_t>(1, v.size() / 60);
  for (std::size_t i = 0; i < v.size(); i += stride) {
    const double at = v[i];
    v[i] = at + step;
    const double above = objective(k);
    v[i] = at - step;
    const double below = objective(k);
    v[i] = at;
    CAPTURE(i);
    CHECK(got[i] == doctest::Approx((above - below) / (2 * step)).epsilon(1e-6).scale(1));
  }
}

}  // namespace maskgrad::tests
