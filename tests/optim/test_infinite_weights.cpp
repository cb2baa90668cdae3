#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <maskgrad/maskgrad.hpp>

#include "odd_values.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_infinite_weights {
namespace {

/// The options under which an optimizer keeps other states, or takes another way.
struct Row {
  std::string name, options;
};
const std::vector<Row> rows{
    {"SGD", ""},
    {"SGD", R"("momentum": 0.9)"},
    {"SGD", R"("momentum": 0.9, "nesterov": true)"},
    {"Adam", ""},
    {"Adam", R"("amsgrad": true)"},
    {"Adam", R"("epsilon": 0)"},
    {"AdamW", ""},
    {"AdamW", R"("amsgrad": true)"},
    {"Nadam", ""},
    {"Adamax", ""},
    {"RMSprop", ""},
    {"RMSprop", R"("centered": true)"},
    {"RMSprop", R"("momentum": 0.9)"},
    {"RMSprop", R"("momentum": 0.9, "centered": true)"},
    {"Adagrad", ""},
    {"Adadelta", ""},
    {"Lion", ""},
};

/// Steps of an optimizer over weights, of which the gradient moves the last.
Values stepped(const Row& row, const std::string& decay, const Tensor& start, Values gradient) {
  const Parameter p(start, "crf/transitions");
  const auto options =
      R"({"weight_decay": )" + decay + (row.options.empty() ? "" : ", ") + row.options + "}";
  const auto optimizer = make_optimizer(row.name, {p}, options);
  for (int step = 0; step < 4; ++step) {
    p.set_grad(cast(tensor(gradient, start.shape()), start.dtype()));
    CHECK(optimizer->step().applied);
    gradient.back() = 1 - gradient.back();
  }
  for (const auto& entry : optimizer->state_arrays()) {
    const auto& state = entry.array;
    const auto all = extend::dispatch(state.dtype, [&]<class T>() {
      const auto of = state.template values<T>();
      return Values(of.begin(), of.end());
    });
    CHECK_MESSAGE(std::all_of(all.begin(), all.end(), [](double v) { return std::isfinite(v); }),
                  entry.name);
  }
  return values(p.tensor());
}

TEST_SUITE("laws") {
  TEST_CASE("an infinite weight stays what it is under every optimizer and decay") {
    for (const auto& row : rows) {
      for (const auto dtype : {DType::f32, DType::f64}) {
        for (const std::string decay : {"0", "0.1", "3"}) {
          CAPTURE(row.name);
          CAPTURE(row.options);
          CAPTURE(decay);
          const Tensor start = cast(tensor({-infinity, infinity, 1.}, {3, 1}), dtype);
          const Values all = stepped(row, decay, start, {0, 0, 0.25});
          CHECK(all[0] == -infinity);
          CHECK(all[1] == infinity);
          // What stands beside it steps as if it were alone.
          CHECK(all[2] == stepped(row, decay, cast(ones({1, 1}), dtype), {0.25})[0]);
          CHECK(all[2] != 1);
        }
      }
    }
  }
}

TEST_SUITE("coverage") {
  TEST_CASE("every optimizer has a row among those of infinite weights") {
    for (const auto name : optimizer_names()) {
      const bool there =
          std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return row.name == name; });
      CHECK_MESSAGE(there, name, " has no row in tests/optim/test_infinite_weights.cpp");
    }
  }
}

TEST_CASE("a CRF keeps its forbidden transitions through every optimizer") {
  const Tensor tags = cast(random_uniform({3, 5}, Seed{1}, 0, 2), DType::i64);
  const Tensor potentials = random_normal({3, 5, 3}, Seed{2});
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const Parameter w(tensor<float>({0.1F, 0.2F, 0.3F, 0, 0.1F, -INFINITY, 0, 0, 0}, {3, 3}), "w");
    const auto optimizer =
        make_optimizer(row.name, {w}, row.options.empty() ? "{}" : "{" + row.options + "}");
    for (int step = 0; step < 3; ++step) {
      crf_loss(tags, potentials, w.tensor()).backward();
      CHECK(values(w.grad())[5] == 0);
      optimizer->step();
    }
    for (std::size_t i = 0; i < 9; ++i) CHECK(std::isfinite(values(w.tensor())[i]) == (i != 5));
  }
}

TEST_CASE(
    "the moving average of an infinite weight is infinite, and one that keeps nothing the weight") {
  for (const double decay : {0., 0.5}) {
    const Parameter p(tensor({-infinity, 2.}, {2}), "p");
    MovingAverage average({p}, {.decay = decay, .warm_up = false});
    p.set(tensor({-infinity, 4.}, {2}));
    average.update();
    average.swap();
    CHECK(values(p.tensor()) == Values{-infinity, 4 - 2 * decay});
  }
  const Parameter p(tensor({-infinity}, {1}), "p");
  MovingAverage average({p}, {.decay = 0, .warm_up = false});
  p.set(tensor({4.}, {1}));
  average.update();
  average.swap();
  CHECK(values(p.tensor()) == Values{4});
}

TEST_CASE("norms and clips are exact at the ends of f32 and f64") {
  for (const auto& [dtype, sizes] : {std::pair{DType::f32, Values{3e38, 1e30, 1e-30, 1e-44}},
                                     std::pair{DType::f64, Values{1e308, 1e200, 1e-200, 1e-320}}}) {
    for (const double size : sizes) {
      CAPTURE(size);
      const Parameter a(zeros({2}, dtype), "a"), b(zeros({1}, dtype), "b");
      const Tensor g = cast(tensor({0.25 * size, 0.5 * size}, {2}), dtype);
      const Tensor h = cast(tensor({-0.5 * size}, {1}), dtype);
      a.set_grad(g);
      b.set_grad(h);
      const double first = values(g)[0], second = values(g)[1];
      const double ratio = first / second;
      const double norm = second * std::sqrt(2 + ratio * ratio);
      const double least = dtype == DType::f32 ? 1.4e-45 : 5e-324;  // what rounding leaves there
      CHECK(std::abs(global_norm({a, b}) - norm) <= std::max(norm * 1e-14, 5e-324));
      // Not clipped: nothing changes; clipped: in the same direction.
      CHECK(clip_by_global_norm({a, b}, 1.5 * size) == global_norm({a, b}));
      CHECK(values(a.grad()) == values(g));
      for (const double to : {size / 4, size / 1024}) {
        a.set_grad(g);
        b.set_grad(h);
        clip_by_global_norm({a, b}, to);
        const double near = std::max(to * (dtype == DType::f32 ? 2e-7 : 1e-15), least);
        CHECK(std::abs(values(a.grad())[0] - first / norm * to) <= near);
        CHECK(std::abs(values(b.grad())[0] + second / norm * to) <= near);
      }
      a.set_grad(g);
      clip_by_value({a, b}, 0.3 * size);
      CHECK(values(a.grad())[0] == first);
      CHECK(values(a.grad())[1] < second);
    }
  }
  const Parameter p(zeros({2}), "p");
  p.set_grad(tensor<float>({3e38F, 3e38F}, {2}));
  clip_by_global_norm({p}, 1);
  CHECK(values(p.grad())[0] == doctest::Approx(std::sqrt(0.5)));
  p.set_grad(tensor<float>({1, NAN}, {2}));
  CHECK(throws<GradError>([&] { clip_by_global_norm({p}, 1); }, "the gradient of 'p' [2]"));
}

TEST_CASE("a term of a loss with the weight 0 is not read") {
  const Parameter p(ones({1, 1}, DType::f64), "p");
  const Tensor target = zeros({1, 1}, DType::f64), bad = full({1, 1}, nan, DType::f64);
  const auto both = [&] {
    return mean_squared_error(target, p.tensor()) +
           0 * mean_squared_error(target, p.tensor() * bad);
  };
  CHECK(both().value() == 1);
  Accumulate acc{{p}};
  acc.add(both());
  CHECK(acc.finish().value == 1);
  CHECK(values(p.grad()) == Values{2});
}

}  // namespace
}  // namespace maskgrad::tests::test_infinite_weights
