#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <thread>
#include <vector>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/parameter.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_tape_threads {
namespace {

constexpr int threads = 4, times = 200;

void in_threads(const std::function<void(int)>& f) {
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) all.emplace_back(f, t);
  for (auto& thread : all) thread.join();
}

}  // namespace

TEST_SUITE("tape in threads") {
  TEST_CASE("gradients of one weight from several threads add up") {
    const Parameter w(ones({3, 3}, DType::f64), "w"), v(ones({3}, DType::f64), "v");
    const Tensor x = ones({2, 3}, DType::f64);
    in_threads([&](int t) {
      for (int i = 0; i < times; ++i) {
        const Tensor y = t % 2 ? sum(matmul(x, w) * v) : sum(v * matmul(x, w));
        y.backward();
      }
    });
    // Whole numbers: their sum is the same in any order.
    CHECK(w.grad().to_vector<double>() == std::vector<double>(9, 2.0 * threads * times));
    CHECK(v.grad().to_vector<double>() == std::vector<double>(3, 6.0 * threads * times));
    CHECK(w.grad_count() == threads * times);
  }

  TEST_CASE("weights of its own in each thread") {
    std::vector<double> sums(threads);
    in_threads([&](int t) {
      const Parameter w(full({4}, t + 1, DType::f64), "w");
      for (int i = 0; i < times; ++i) sum(w * w).backward();
      sums[static_cast<std::size_t>(t)] = w.grad().item({0});
    });
    for (int t = 0; t < threads; ++t) {
      CHECK(sums[static_cast<std::size_t>(t)] == 2.0 * (t + 1) * times);
    }
  }

  TEST_CASE("one tape from several threads: one runs it, the others are refused") {
    for (int i = 0; i < 50; ++i) {
      const Parameter w(ones({2}, DType::f64), "w");
      const Tensor y = sum(w * w);
      std::vector<int> ran(threads), refused(threads);
      in_threads([&](int t) {
        try {
          y.backward();
          ran[static_cast<std::size_t>(t)] = 1;
        } catch (const GradError&) {
          refused[static_cast<std::size_t>(t)] = 1;
        }
      });
      CHECK(std::count(ran.begin(), ran.end(), 1) == 1);
      CHECK(std::count(refused.begin(), refused.end(), 1) == threads - 1);
      CHECK(w.grad().to_vector<double>() == std::vector<double>{2, 2});
    }
  }

  TEST_CASE("a backward that throws lets go of what it held") {
    const Parameter w(ones({2}, DType::f64), "w");
    const Tensor weight = w;
    const Tensor broken =
        record("broken", scalar(1, DType::f64), {weight},
               [](const Tensor&, Grads&) { fail<StateError>("broken", "on purpose"); });
    CHECK(throws<StateError>([&] { broken.backward(); }, "on purpose"));
    CHECK(throws<StateError>([&] { broken.backward(); }, "on purpose"));
    in_threads([&](int) { sum(w).backward(); });
    CHECK(w.grad().to_vector<double>() == std::vector<double>(2, threads));
  }

  TEST_CASE("a backward inside a backward reaches the same weight") {
    const Parameter w(ones({1}, DType::f64), "w");
    const Tensor weight = w, inner = sum(weight * weight);
    const Tensor outer =
        record("outer", scalar(1, DType::f64), {weight}, [inner](const Tensor&, Grads& g) {
          inner.backward();
          g.add(0, ones({1}, DType::f64));
        });
    outer.backward();
    CHECK(w.grad().item({0}) == 3);
  }
}

}  // namespace maskgrad::tests::test_tape_threads
