#include <doctest/doctest.h>

#include <limits>

#include <maskgrad/core/threads.hpp>

#include "kernels/recurrent_naive.hpp"

namespace maskgrad::tests::test_recurrent {

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

}  // namespace maskgrad::tests::test_recurrent
