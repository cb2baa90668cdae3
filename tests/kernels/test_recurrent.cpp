#include <maskgrad/core/kernels/recurrent/recurrent.hpp>
#include <maskgrad/core/threads.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace maskgrad;
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

double sigmoid(double x) {
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

Results<double> naive(const Case<double>& k) {
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
double objective(const Case<double>& k) {
  const auto y = naive(k);
  double sum = 0;
  for (std::size_t i = 0; i < k.dout.size(); ++i) sum += k.dout[i] * y.out[i];
  for (std::size_t i = 0; i < k.dh.size(); ++i) sum += k.dh[i] * y.h[i];
  for (std::size_t i = 0; i < y.c.size() && !k.dc.empty(); ++i) sum += k.dc[i] * y.c[i];
  return sum;
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

/// Central differences by every element of one of the case's arrays; at most `most` of them.
void check_gradient(Case<double> k, std::vector<double> Case<double>::*input,
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

Case<float> narrow(const Case<double>& k) {
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

std::vector<std::int64_t> uneven(std::int64_t batch, std::int64_t longest) {
  std::vector<std::int64_t> length;
  for (std::int64_t s = 0; s < batch; ++s) length.push_back((s * 37 + 11) % (longest + 1));
  return length;
}

}  // namespace

TEST_CASE("recurrent forward equals one number at a time") {
  each_option([](Case<double> k) {
    for (std::int64_t units : {1, 7, 16, 33}) {
      k.units = units;
      k.fill(3);
      CAPTURE(units);
      const auto want = naive(k);
      const auto got = run(k);
      CHECK(worst(got.out, want.out) <= 1e-13);
      CHECK(worst(got.h, want.h) <= 1e-13);
      CHECK(worst(got.c, want.c) <= 1e-13);
    }
  });
}

TEST_CASE("recurrent gradients equal central differences") {
  each_option([](Case<double> k) {
    k.fill(5);
    const auto got = run(k);
    check_gradient(k, &Case<double>::x, got.dx);
    check_gradient(k, &Case<double>::w, got.dw);
    check_gradient(k, &Case<double>::r, got.dr);
    if (k.bias) check_gradient(k, &Case<double>::b, got.db);
    if (k.initial) check_gradient(k, &Case<double>::h0, got.dh0);
    if (k.initial && k.cell == Cell::lstm) check_gradient(k, &Case<double>::c0, got.dc0);
  });
}

TEST_CASE("recurrent on many sequences, chunks and shards, in f32 and f64") {
  each_option([](Case<double> k) {
    if (k.initial != k.bias) return;
    for (std::int64_t units : {20, 64}) {
      k.units = units;
      k.features = 19;
      k.length = uneven(45, 90);
      k.fill(7);
      CAPTURE(units);
      const auto wide = run(k);
      CHECK(worst(wide.out, naive(k).out) <= 1e-12);
      check_same(run(narrow(k)), wide, 2e-4);
    }
  });
}

TEST_CASE("a sequence alone gives what it gives in a batch") {
  each_option([](Case<double> k) {
    if (!k.bias) return;
    k.length = uneven(23, 12);
    k.units = 18;
    k.fill(11);
    const auto all = run(k);
    Results<double> sum;
    for (std::int64_t s = 0; s < k.batch(); ++s) {
      Case<double> one = k;
      auto part = [&](std::vector<double>& v, std::int64_t at, std::int64_t n, std::int64_t width) {
        if (v.empty()) return;
        v = std::vector<double>(v.begin() + at * width, v.begin() + (at + n) * width);
      };
      one.length = {k.length[s]};
      one.first = {0};
      part(one.x, k.first[s], k.length[s], k.features);
      part(one.dout, k.first[s], k.length[s], k.units);
      for (auto* v : {&one.h0, &one.c0, &one.dh, &one.dc}) part(*v, s, 1, k.units);
      const auto alone = run(one);
      std::vector<double> out = all.out, dx = all.dx, h = all.h, dh0 = all.dh0;
      part(out, k.first[s], k.length[s], k.units);
      part(dx, k.first[s], k.length[s], k.features);
      part(h, s, 1, k.units);
      part(dh0, s, 1, k.units);
      CHECK(worst(alone.out, out) <= 1e-13);
      CHECK(worst(alone.dx, dx) <= 1e-13);
      CHECK(worst(alone.h, h) <= 1e-13);
      CHECK(worst(alone.dh0, dh0) <= 1e-13);
      sum.dr.resize(alone.dr.size());
      for (std::size_t i = 0; i < alone.dr.size(); ++i) sum.dr[i] += alone.dr[i];
    }
    CHECK(worst(all.dr, sum.dr) <= 1e-12);
  });
}

TEST_CASE("recurrent results are the same for any number of threads") {
  Case<double> k;
  k.units = 48;
  k.features = 30;
  k.length = uneven(40, 60);
  const int before = num_threads();
  for (Cell cell : {Cell::simple_rnn, Cell::gru, Cell::lstm}) {
    k.cell = cell;
    k.fill(13);
    const auto small = narrow(k);
    set_num_threads(1);
    const auto one = run(small);
    for (int threads : {2, 3, 4}) {
      set_num_threads(threads);
      check_same(run(small), one, 0);
    }
  }
  set_num_threads(before);
}

TEST_CASE("a batch without rows passes states through and has zero gradients") {
  each_option([](Case<double> k) {
    for (const auto& length : {std::vector<std::int64_t>{}, std::vector<std::int64_t>{0, 0}}) {
      k.length = length;
      k.fill(17);
      const auto y = run(k);
      const std::vector<double> none(y.h.size());
      CHECK(y.h == (k.initial ? k.h0 : none));
      CHECK(y.dh0 == k.dh);
      for (const auto* g : {&y.dw, &y.dr, &y.db}) {
        CHECK(std::all_of(g->begin(), g->end(), [](double v) { return v == 0; }));
      }
    }
  });
}

TEST_CASE("NaN in one sequence stays in it, forward and in the input's gradient") {
  each_option([](Case<double> k) {
    k.fill(19);
    const auto clean = run(k);
    k.x[k.first[2] * k.features] = std::numeric_limits<double>::quiet_NaN();
    const auto y = run(k);
    for (std::int64_t s : {0, 3, 4}) {
      for (std::int64_t i = k.first[s] * k.units; i < (k.first[s] + k.length[s]) * k.units; ++i) {
        CHECK(y.out[i] == clean.out[i]);
      }
      const std::int64_t end = (k.first[s] + k.length[s]) * k.features;
      for (std::int64_t i = k.first[s] * k.features; i < end; ++i) CHECK(y.dx[i] == clean.dx[i]);
    }
  });
}

TEST_CASE("inference gives what training gives, with or without the output") {
  each_option([](Case<double> k) {
    k.length = uneven(9, 20);
    k.fill(23);
    const auto want = run(k);
    auto p = problem_of(k);
    p.training = false;
    std::vector<unsigned char> memory(
        static_cast<std::size_t>(kernels::recurrent_forward_scratch(p)), 0xff);
    Results<double> y = want;
    kernels::RecurrentForward<double> f;
    for (double* out : {y.out.data(), static_cast<double*>(nullptr)}) {
      std::fill(y.h.begin(), y.h.end(), 9.0);
      f.out = out;
      f.h = y.h.data();
      kernels::recurrent_forward(p, f, memory.data());
      CHECK(y.out == want.out);
      CHECK(y.h == want.h);
    }
  });
}

TEST_CASE("gradients that are not wanted do not change the others") {
  each_option([](Case<double> k) {
    k.fill(29);
    const auto want = run(k);
    const auto p = problem_of(k);
    auto bytes = [](std::int64_t n) { return std::vector<unsigned char>(std::size_t(n), 0xff); };
    auto memory = bytes(kernels::recurrent_forward_scratch(p));
    std::vector<double> saved(std::size_t(kernels::recurrent_saved_size(p))), out = want.out;
    kernels::RecurrentForward<double> f;
    f.out = out.data();
    f.saved = saved.data();
    kernels::recurrent_forward(p, f, memory.data());
    memory = bytes(kernels::recurrent_backward_scratch(p));
    kernels::RecurrentBackward<double> g;
    g.out = out.data();
    g.saved = saved.data();
    g.dout = k.dout.data();
    g.dh_final = k.dh.data();
    g.dc_final = k.cell == Cell::lstm ? k.dc.data() : nullptr;
    std::vector<double> dr(k.r.size());
    g.drecurrent_kernel = dr.data();
    kernels::recurrent_backward(p, g, memory.data());
    CHECK(dr == want.dr);
    g.drecurrent_kernel = nullptr;
    std::vector<double> dx(k.x.size());
    g.dx = dx.data();
    kernels::recurrent_backward(p, g, memory.data());
    CHECK(dx == want.dx);
  });
}
