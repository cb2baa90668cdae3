#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <maskgrad/core/kernels/recurrent/recurrent.hpp>

namespace maskgrad::tests {

using kernels::Cell;

/// A layer, its batch and its gradients' cotangents; what is empty is passed as null.
template <class T>
struct Case {
  Cell cell = Cell::gru;
  bool reverse = false, reset_after = true, bias = true, initial = true;
  std::int64_t features = 5, units = 7;
  std::vector<std::int64_t> length{3, 0, 6, 1, 6}, first;
  std::vector<T> x, w, r, b, h0, c0, dout, dh, dc;

  std::int64_t batch() const { return static_cast<std::int64_t>(length.size()); }
  std::int64_t gates() const { return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1; }
  std::int64_t rows() const {
    std::int64_t n = 0;
    for (auto l : length) n += l;
    return n;
  }

  /// Numbers for everything; the sequences' rows stand in the opposite order to the batch.
  void fill(unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> uniform(-1, 1);
    auto numbers = [&](std::int64_t n, double scale) {
      std::vector<T> v(static_cast<std::size_t>(n));
      for (auto& e : v) e = static_cast<T>(uniform(random) * scale);
      return v;
    };
    first.assign(length.size(), 0);
    std::int64_t row = 0;
    for (std::size_t s = length.size(); s-- > 0; row += length[s]) first[s] = row;
    const std::int64_t wide = gates() * units;
    x = numbers(rows() * features, 1);
    w = numbers(features * wide, 1 / std::sqrt(double(features)));
    r = numbers(units * wide, 1.5 / std::sqrt(double(units)));
    const bool two = cell == Cell::gru && reset_after;
    b = numbers(bias ? (two ? 2 : 1) * wide : 0, 0.5);
    h0 = numbers(initial ? batch() * units : 0, 1);
    c0 = numbers(initial && cell == Cell::lstm ? batch() * units : 0, 1);
    dout = numbers(rows() * units, 1);
    dh = numbers(batch() * units, 1);
    dc = numbers(batch() * units, 1);
  }
};

template <class T>
struct Results {
  std::vector<T> out, h, c, dx, dw, dr, db, dh0, dc0;
};

template <class T>
const T* or_null(const std::vector<T>& v) {
  return v.empty() ? nullptr : v.data();
}

template <class T>
kernels::RecurrentProblem<T> problem_of(const Case<T>& k) {
  kernels::RecurrentProblem<T> p;
  p.cell = k.cell;
  p.reverse = k.reverse;
  p.reset_after = k.reset_after;
  p.training = true;
  p.batch = k.batch();
  p.rows = k.rows();
  p.features = k.features;
  p.units = k.units;
  p.first = k.first.data();
  p.length = k.length.data();
  p.x = k.x.data();
  p.kernel = k.w.data();
  p.recurrent_kernel = k.r.data();
  p.bias = or_null(k.b);
  p.h0 = or_null(k.h0);
  p.c0 = or_null(k.c0);
  return p;
}

/// Forward and backward; every buffer is full of NaN before, so that what is read was written.
template <class T>
Results<T> run(const Case<T>& k) {
  const T nan = std::numeric_limits<T>::quiet_NaN();
  auto buffer = [&](std::size_t n) { return std::vector<T>(n, nan); };
  auto p = problem_of(k);
  const auto state = static_cast<std::size_t>(k.batch() * k.units);
  const bool lstm = k.cell == Cell::lstm;
  Results<T> y;
  y.out = buffer(static_cast<std::size_t>(k.rows() * k.units));
  y.h = buffer(state);
  y.c = buffer(lstm ? state : 0);
  auto saved = buffer(static_cast<std::size_t>(kernels::recurrent_saved_size(p)));
  auto scratch = [&](std::int64_t bytes) {
    return std::vector<unsigned char>(static_cast<std::size_t>(bytes), 0xff);
  };
  auto memory = scratch(kernels::recurrent_forward_scratch(p));
  kernels::RecurrentForward<T> f;
  f.out = y.out.data();
  f.h = y.h.data();
  f.c = lstm ? y.c.data() : nullptr;
  f.saved = saved.data();
  kernels::recurrent_forward(p, f, memory.data());

  y.dx = buffer(k.x.size());
  y.dw = buffer(k.w.size());
  y.dr = buffer(k.r.size());
  y.db = buffer(k.b.size());
  y.dh0 = buffer(state);
  y.dc0 = buffer(lstm ? state : 0);
  kernels::RecurrentBackward<T> g;
  g.out = f.out;
  g.saved = f.saved;
  g.dout = or_null(k.dout);
  g.dh_final = or_null(k.dh);
  g.dc_final = lstm ? or_null(k.dc) : nullptr;
  g.dx = y.dx.data();
  g.dkernel = y.dw.data();
  g.drecurrent_kernel = y.dr.data();
  g.dbias = k.b.empty() ? nullptr : y.db.data();
  g.dh0 = y.dh0.data();
  g.dc0 = lstm ? y.dc0.data() : nullptr;
  memory = scratch(kernels::recurrent_backward_scratch(p));
  kernels::recurrent_backward(p, g, memory.data());
  return y;
}

template <class A, class B>
double worst(const std::vector<A>& got, const std::vector<B>& want) {
  if (got.size() != want.size()) return std::numeric_limits<double>::infinity();
  double most = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error =
        std::abs(double(got[i]) - double(want[i])) / (1 + std::abs(double(want[i])));
    if (!(error <= most)) most = error;
  }
  return most;
}

/// Every cell with every option, by name.
template <class F>
void each_option(F f) {
  struct Named {
    const char* name;
    Cell cell;
    bool reset_after;
  };
  const Named cells[] = {{"simple_rnn", Cell::simple_rnn, true},
                         {"gru", Cell::gru, true},
                         {"gru reset before", Cell::gru, false},
                         {"lstm", Cell::lstm, true}};
  for (const Named& named : cells) {
    for (int options = 0; options < 8; ++options) {
      Case<double> k;
      k.cell = named.cell;
      k.reset_after = named.reset_after;
      k.reverse = options & 1;
      k.bias = !(options & 2);
      k.initial = !(options & 4);
      std::string title = std::string(named.name) + (k.reverse ? ", reverse" : "") +
                          (k.bias ? "" : ", no bias") + (k.initial ? "" : ", no initial state");
      CAPTURE(title);
      f(k);
    }
  }
}

inline Case<float> narrow(const Case<double>& k) {
  Case<float> f;
  f.cell = k.cell, f.reverse = k.reverse, f.reset_after = k.reset_after, f.bias = k.bias;
  f.initial = k.initial, f.features = k.features, f.units = k.units;
  f.length = k.length, f.first = k.first;
  auto cast = [](const std::vector<double>& v) { return std::vector<float>(v.begin(), v.end()); };
  f.x = cast(k.x), f.w = cast(k.w), f.r = cast(k.r), f.b = cast(k.b);
  f.h0 = cast(k.h0), f.c0 = cast(k.c0), f.dout = cast(k.dout), f.dh = cast(k.dh), f.dc = cast(k.dc);
  return f;
}

template <class T, class U>
void check_same(const Results<T>& a, const Results<U>& b, double tolerance) {
  CHECK(worst(a.out, b.out) <= tolerance);
  CHECK(worst(a.h, b.h) <= tolerance);
  CHECK(worst(a.c, b.c) <= tolerance);
  CHECK(worst(a.dx, b.dx) <= tolerance);
  CHECK(worst(a.dw, b.dw) <= tolerance);
  CHECK(worst(a.dr, b.dr) <= tolerance);
  CHECK(worst(a.db, b.db) <= tolerance);
  CHECK(worst(a.dh0, b.dh0) <= tolerance);
  CHECK(worst(a.dc0, b.dc0) <= tolerance);
}

inline std::vector<std::int64_t> uneven(std::int64_t batch, std::int64_t longest) {
  std::vector<std::int64_t> length;
  for (std::int64_t s = 0; s < batch; ++s) length.push_back((s * 37 + 11) % (longest + 1));
  return length;
}

}  // namespace maskgrad::tests
