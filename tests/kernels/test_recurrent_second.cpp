#include <doctest/doctest.h>

#include <maskgrad/core/kernels/recurrent/second.hpp>
#include <maskgrad/core/threads.hpp>

#include "kernels/recurrent_case.hpp"

namespace maskgrad::tests::test_recurrent_second {

/// A direction for the arguments of a case: a case of its own, filled with other numbers.
template <class T>
Results<T> second(const Case<T>& k, const Case<T>& u, bool recompute = false) {
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const auto buffer = [&](std::size_t n) { return std::vector<T>(n, nan); };
  auto p = problem_of(k);
  const bool lstm = k.cell == Cell::lstm;
  auto out = buffer(static_cast<std::size_t>(k.rows() * k.units));
  auto saved = buffer(static_cast<std::size_t>(kernels::recurrent_saved_size(p)));
  std::vector<unsigned char> memory(static_cast<std::size_t>(kernels::recurrent_forward_scratch(p)),
                                    0xff);
  kernels::recurrent_forward<T>(p, {.out = out.data(), .saved = saved.data()}, memory.data());
  p.recompute = recompute;
  const auto state = static_cast<std::size_t>(k.batch() * k.units);
  Results<T> y{buffer(out.size()), buffer(state),      buffer(lstm ? state : 0),
               buffer(k.x.size()), buffer(k.w.size()), buffer(k.r.size()),
               buffer(k.b.size()), buffer(state),      buffer(lstm ? state : 0)};
  const auto to = [](std::vector<T>& v) { return v.empty() ? nullptr : v.data(); };
  kernels::recurrent_second<T>(
      p,
      {.out = recompute ? nullptr : out.data(),
       .saved = recompute ? nullptr : saved.data(),
       .dout = or_null(k.dout),
       .dh_final = or_null(k.dh),
       .dc_final = lstm ? or_null(k.dc) : nullptr},
      {or_null(u.x), or_null(u.w), or_null(u.r), or_null(u.b), or_null(u.h0), or_null(u.c0)},
      {to(y.out), to(y.h), to(y.c), to(y.dx), to(y.dw), to(y.dr), to(y.db), to(y.dh0), to(y.dc0)});
  return y;
}

Case<double> direction(Case<double> k, unsigned seed) {
  k.fill(seed);
  return k;
}

Case<double> moved(Case<double> k, const Case<double>& u, double by) {
  const auto add = [by](std::vector<double>& to, const std::vector<double>& from) {
    for (std::size_t i = 0; i < from.size(); ++i) to[i] += by * from[i];
  };
  add(k.x, u.x), add(k.w, u.w), add(k.r, u.r), add(k.b, u.b), add(k.h0, u.h0), add(k.c0, u.c0);
  return k;
}

/// (b - a) / (2 by) for all results.
Results<double> slope(const Results<double>& a, const Results<double>& b, double by) {
  const auto part = [by](const std::vector<double>& x, std::vector<double> y) {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = (y[i] - x[i]) / (2 * by);
    return y;
  };
  return {part(a.out, b.out), part(a.h, b.h),     part(a.c, b.c),
          part(a.dx, b.dx),   part(a.dw, b.dw),   part(a.dr, b.dr),
          part(a.db, b.db),   part(a.dh0, b.dh0), part(a.dc0, b.dc0)};
}

void check_second(const Case<double>& k, const Case<double>& u) {
  constexpr double by = 1e-5;
  check_same(second(k, u), slope(run(moved(k, u, -by)), run(moved(k, u, by)), by), 1e-6);
}

TEST_CASE("recurrent second derivatives equal central differences of the gradients") {
  each_option([](Case<double> k) {
    for (std::int64_t units : {1, 7, 16, 20}) {
      k.units = units;
      k.fill(3);
      CAPTURE(units);
      check_second(k, direction(k, 4));
    }
  });
}

TEST_CASE("recurrent second derivatives along a part of the arguments") {
  each_option([](Case<double> k) {
    k.fill(5);
    const Case<double> all = direction(k, 6);
    for (int only = 0; only < 6; ++only) {
      Case<double> u = all;
      int at = 0;
      for (auto* v : {&u.x, &u.w, &u.r, &u.b, &u.h0, &u.c0}) {
        if (at++ != only) v->clear();
      }
      CAPTURE(only);
      check_second(k, u);
    }
  });
}

TEST_CASE("recurrent second derivatives over many sequences, chunks, shards and threads") {
  const int before = num_threads();
  each_option([](Case<double> k) {
    if (k.initial != k.bias) return;
    k.units = 40;
    k.features = 19;
    k.length = uneven(45, 90);
    k.fill(7);
    const Case<double> u = direction(k, 8);
    set_num_threads(1);
    const auto one = second(k, u);
    constexpr double by = 1e-5;
    check_same(one, slope(run(moved(k, u, -by)), run(moved(k, u, by)), by), 1e-5);
    check_same(second(narrow(k), narrow(u)), one, 2e-3);
    check_same(second(k, u, true), one, 0);
    for (int threads : {2, 3}) {
      set_num_threads(threads);
      check_same(second(k, u), one, 0);
    }
  });
  set_num_threads(before);
}

TEST_CASE("recurrent second derivatives of a batch without rows") {
  each_option([](Case<double> k) {
    for (const auto& length : {std::vector<std::int64_t>{}, std::vector<std::int64_t>{0, 0}}) {
      k.length = length;
      k.fill(17);
      const Case<double> u = direction(k, 18);
      const auto y = second(k, u);
      const std::vector<double> none(y.h.size());
      CHECK(y.h == (k.initial ? u.h0 : none));
      CHECK(y.dh0 == none);
      for (const auto* g : {&y.dw, &y.dr, &y.db}) CHECK(*g == std::vector<double>(g->size()));
    }
  });
}

}  // namespace maskgrad::tests::test_recurrent_second
