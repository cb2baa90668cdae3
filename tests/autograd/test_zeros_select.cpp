#include <cmath>
#include <limits>
#include <string>

#include <maskgrad/autograd/ops.hpp>
#include <maskgrad/autograd/ops/loss/binary_cross_entropy.hpp>
#include <maskgrad/core/random.hpp>

#include "counted.hpp"

// A factor of 0 is a selection: what has an incoming gradient, a probability or a visibility of 0
// is not read. The laws hold every operation to it by whole sequences and rows; here stand single
// values, and the right ones.

namespace maskgrad::tests::test_zeros_select {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();

Tensor leaf(const Values& values) {
  return tensor(values, {static_cast<std::int64_t>(values.size())}).with_grad();
}

Values gradient_of(const Tensor& x, const Tensor& y) {
  sum(y).backward();
  return x.grad().to_vector<double>();
}

Tensor some(const Shape& shape, std::uint64_t seed) {
  return random_normal(shape, {seed}, DType::f64);
}

/// `x` with `value` at each place where `there` says so of its index on axis 1.
template <class F>
Tensor spoiled(const Tensor& x, double value, F&& there) {
  auto values = x.to_vector<double>();
  const auto inner = x.shape().count(2, x.rank()), time = x.size(1);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (there(static_cast<std::int64_t>(i) / inner % time)) values[i] = value;
  }
  return tensor(values, x.shape());
}

}  // namespace

TEST_SUITE("zeros select") {
  TEST_CASE("where(x > 0, f(x), 0) has the gradient 0 where it is not read") {
    const struct {
      const char* name;
      Tensor (*f)(const Tensor&);
      double slope;  ///< at 4
    } rows[] = {
        {"sqrt", [](const Tensor& x) { return sqrt(x); }, 0.25},
        {"rsqrt", [](const Tensor& x) { return rsqrt(x); }, -0.0625},
        {"log", [](const Tensor& x) { return log(x); }, 0.25},
        {"1 / x", [](const Tensor& x) { return 1 / x; }, -0.0625},
        {"reciprocal", [](const Tensor& x) { return reciprocal(x); }, -0.0625},
        {"power", [](const Tensor& x) { return power(x, 0.5); }, 0.25},
        {"x / x", [](const Tensor& x) { return x / x; }, 0},
        {"x log x", [](const Tensor& x) { return x * log(x); }, 1 + std::log(4.0)},
        {"atan2", [](const Tensor& x) { return atan2(x, x); }, 0},
        {"norm", [](const Tensor& x) { return sqrt(sum(x * x, {1})); }, 1},
    };
    for (const auto& row : rows) {
      CAPTURE(row.name);
      const bool lines = std::string(row.name) == "norm";
      const Tensor x = tensor<double>({0, 4}, lines ? Shape{2, 1} : Shape{2}).with_grad();
      const Tensor at = lines ? squeeze(x, 1) : x;
      const auto g = gradient_of(x, where(greater(at, 0), row.f(x), zeros({2}, DType::f64)));
      CHECK(g[0] == 0);
      CHECK(g[1] == doctest::Approx(row.slope).epsilon(1e-14));
    }
  }

  TEST_CASE("a mask put on later, another value instead, a slice and a masked mean select too") {
    const Mask second = Mask::keep({{false, true}});
    const auto fresh = [] { return tensor<double>({0, 4}, {1, 2}).with_grad(); };
    Tensor x = fresh();
    CHECK(gradient_of(x, with_mask(sqrt(x), second)) == Values{0, 0.25});
    x = fresh();
    CHECK(gradient_of(x, or_else(with_mask(sqrt(x), second), ones({1, 2}, DType::f64))) ==
          Values{0, 0.25});
    x = fresh();
    CHECK(gradient_of(x, slice(log(x), 1, 1)) == Values{0, 0.25});
    x = fresh();
    CHECK(gradient_of(x, mean(with_mask(log(x), second))) == Values{0, 0.25});
    const Tensor sure = leaf({-inf, inf});
    const Tensor loss = detail::binary_cross_entropy(tensor<double>({0, 1}, {2}), sure);
    CHECK(loss.to_vector<double>() == Values{0, 0});
    CHECK(gradient_of(sure, loss) == Values{0, 0});
  }

  TEST_CASE("of nothing but -infinity a log sum has no gradient, and leaves the rest alive") {
    Tensor x = leaf({-inf, -inf});
    CHECK(gradient_of(x, logsumexp(x)) == Values{0, 0});
    x = leaf({-inf, 3});
    CHECK(gradient_of(x, logsumexp(x)) == Values{0, 1});
    const Tensor a = leaf({-inf, -inf, 2, 1}), b = leaf({-inf, 5, -inf, 1});
    sum(logaddexp(a, b)).backward();
    CHECK(a.grad().to_vector<double>() == Values{0, 0, 1, 0.5});
    CHECK(b.grad().to_vector<double>() == Values{0, 1, 0, 0.5});
    // A recurrence with a dead and a live branch.
    const Tensor start = leaf({-inf, 0});
    Tensor state = start;
    for (int t = 0; t < 3; ++t) state = logaddexp(state, state + tensor<double>({-inf, -inf}, {2}));
    CHECK(gradient_of(start, state) == Values{0, 1});
  }

  TEST_CASE("products: a gradient of 0 reads neither the row nor the weight") {
    const Tensor w = leaf({1, 2, 3, 4}), m = reshape(w, {2, 2});
    const Tensor x = tensor<double>({nan, inf, 5, 6}, {2, 2}).with_grad();
    sum(slice(matmul(x, m), 0, 1)).backward();
    CHECK(x.grad().to_vector<double>() == Values{0, 0, 3, 7});
    CHECK(w.grad().to_vector<double>() == Values{5, 5, 6, 6});
    const Tensor dead = leaf({inf, 2, nan, 4}), y = tensor<double>({5, 6}, {1, 2}).with_grad();
    sum(slice(matmul(y, reshape(dead, {2, 2})), 1, 1)).backward();
    CHECK(y.grad().to_vector<double>() == Values{2, 4});
    CHECK(dead.grad().to_vector<double>() == Values{0, 5, 0, 6});
    // Into a gradient that is there already, and of many rows.
    const Tensor many = some({300, 2}, 1);
    const Tensor odd = spoiled(many, nan, [](auto j) { return j == 0; }).with_grad();
    const Tensor v = some({2, 1}, 2).with_grad();
    const Tensor kept = tensor(Values(300, 0.0), {300, 1});
    (sum(matmul(odd, v) * kept) + sum(matmul(many, v))).backward();
    for (std::int64_t i = 0; i < 2; ++i) {
      CHECK(v.grad().item({i, 0}) == doctest::Approx(sum(many, 0).item({i})).epsilon(1e-12));
    }
  }

  TEST_CASE("products of running and whole lines stop where nothing comes back") {
    const Tensor x = leaf({2, 3, nan});
    CHECK(gradient_of(x, slice(cumprod(x, 0), 0, 0, 2)) == Values{4, 2, 0});
    const Tensor s = leaf({1, nan});
    CHECK(gradient_of(s, slice(reshape(softmax(reshape(s, {2, 1}), 1), {2}), 0, 0, 1)) ==
          Values{0, 0});
  }

  TEST_CASE("hidden keys and values of attention: causal, windowed and biased") {
    std::vector<double> hides(5, 0.0);
    hides[4] = -inf;
    const AttentionOptions options[] = {
        {.causal = true}, {.window = 1}, {.bias = tensor(hides, {1, 5})}};
    for (const auto& option : options) {
      for (const double odd : {nan, inf, -inf}) {
        // The last key is seen by the last two queries at most.
        const auto run = [&](double value) {
          const auto last = [](auto t) { return t == 4; };
          const auto put = [&](const Tensor& x) {
            return (std::isfinite(value) ? x : spoiled(x, value, last)).with_grad();
          };
          const Tensor q = some({2, 5, 2, 3}, 1).with_grad(), k = put(some({2, 5, 1, 3}, 2));
          const Tensor v = put(some({2, 5, 1, 2}, 3));
          const Tensor y = slice(attention(q, k, v, option), 1, 0, 3);
          const Tensor w = slice(attention_scores(q, k, option).drop_mask("a test"), 1, 0, 3);
          (sum(y * y) + sum(w * w)).backward();
          std::vector<Values> all{y.to_vector<double>()};
          for (const auto& x : {q, k, v}) all.push_back(x.grad().to_vector<double>());
          return all;
        };
        CHECK(run(odd) == run(0));
      }
    }
  }

  TEST_CASE("additive attention reads no hidden key either") {
    const auto run = [](double value) {
      const auto last = [](auto t) { return t == 4; };
      const Tensor k = spoiled(some({2, 5, 3}, 2), value, last).with_grad();
      const Tensor q = some({2, 5, 3}, 1).with_grad(), w = some({3}, 4).with_grad();
      const Tensor y = slice(additive_attention(q, k, k, w, {.causal = true}), 1, 0, 4);
      sum(y * y).backward();
      std::vector<Values> all{y.to_vector<double>()};
      for (const auto& x : {q, k, w}) all.push_back(x.grad().to_vector<double>());
      return all;
    };
    CHECK(run(nan) == run(1));
    CHECK(run(inf) == run(1));
  }

  TEST_CASE("a recurrence reads no step behind the last one that is asked for") {
    using kernels::Cell;
    for (const auto cell : {Cell::simple_rnn, Cell::gru, Cell::lstm}) {
      for (const bool after : {false, true}) {
        const std::int64_t gates = cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1;
        const auto run = [&](double value) {
          const Tensor x = spoiled(some({2, 5, 3}, 1), value, [](auto t) { return t > 2; });
          const Tensor leaf_x = x.with_grad(), kernel = some({3, gates * 2}, 2).with_grad();
          const Tensor own = some({2, gates * 2}, 3).with_grad();
          const bool two = cell == Cell::gru && after;
          const Tensor bias = some(two ? Shape{2, gates * 2} : Shape{gates * 2}, 4).with_grad();
          const auto y = recurrent(cell, after, false, leaf_x, {kernel, own, bias}, {});
          sum(slice(y.output, 1, 0, 3)).backward();
          std::vector<Values> all;
          for (const auto& t : {leaf_x, kernel, own, bias}) {
            all.push_back(t.grad().to_vector<double>());
          }
          return all;
        };
        CHECK(run(nan) == run(1));
        CHECK(run(inf) == run(1));
      }
    }
  }

  TEST_CASE("forbidden transitions of a CRF stay usable") {
    const Tensor tags = tensor<std::int64_t>({0, 1, 1, 0, 1, 2}, {2, 3});
    const Tensor x = some({2, 3, 3}, 1).with_grad();
    auto transitions = some({3, 3}, 2).to_vector<double>();
    for (const auto at : {1, 2, 5, 8}) transitions[static_cast<std::size_t>(at)] = -inf;
    transitions[1] = 0.5;  // 0 -> 1 is used; nothing but 1 -> 2 leads to 2, which then is allowed
    transitions[5] = 0.25;
    const Tensor w = tensor(transitions, {3, 3}).with_grad();
    const Tensor y = crf_negative_log_likelihood(tags, x, w);
    for (const double v : y.to_vector<double>()) CHECK((std::isfinite(v) && v > 0));
    sum(y).backward();
    for (const double g : x.grad().to_vector<double>()) CHECK(std::isfinite(g));
    const auto g = w.grad().to_vector<double>();
    for (std::size_t i = 0; i < 9; ++i) {
      CHECK(std::isfinite(g[i]));
      if (transitions[i] == -inf) CHECK(g[i] == 0);
    }
  }
}

TEST_SUITE("norm") {
  TEST_CASE("exact at both ends of what the types hold") {
    const double most = std::numeric_limits<double>::max(), least = 5e-324;
    const struct {
      Values x;
      double y;
      Values gradient;
    } rows[] = {{{3, 4}, 5, {0.6, 0.8}},
                {{0, 0}, 0, {0, 0}},
                {{}, 0, {}},
                {{most, 0}, most, {1, 0}},
                {{-0.6 * most, 0.8 * most}, most, {-0.6, 0.8}},
                {{3e-320, 4e-320}, 5e-320, {0.6, 0.8}},
                {{3e-160, 4e-160}, 5e-160, {0.6, 0.8}},
                {{least, 0}, least, {1, 0}},
                {{inf, 1}, inf, {nan, 0}}};
    for (const auto& row : rows) {
      CAPTURE(row.y);
      const Tensor x = leaf(row.x), y = norm(x);
      CHECK((y.item() == row.y || y.item() == doctest::Approx(row.y).epsilon(1e-15)));
      const auto g = gradient_of(x, y);
      for (std::size_t i = 0; i < g.size(); ++i) {
        if (std::isnan(row.gradient[i])) continue;
        CHECK(g[i] == doctest::Approx(row.gradient[i]).epsilon(2e-4));
      }
    }
    CHECK(std::isnan(norm(leaf({nan, 1})).item()));
    CHECK(norm(tensor<float>({3e38F, 4e37F}, {2})).item() ==
          doctest::Approx(std::hypot(3e38, 4e37)).epsilon(1e-7));
    CHECK(norm(tensor<float>({3e-45F, 4e-45F}, {2})).item() == doctest::Approx(5e-45).epsilon(0.2));
  }

  TEST_CASE("axes, kept axes and masks are those of a sum") {
    const Tensor x = tensor<double>({3, 4, 5, 12, 8, 15}, {3, 2});
    CHECK(norm(x, 1).to_vector<double>() == Values{5, 13, 17});
    CHECK(norm(x, -1, true).shape() == Shape{3, 1});
    const Tensor steps = from_sequences<double>({{3, 4}, {}, {2}});
    CHECK(norm(steps, 1).to_vector<double>() == Values{5, 0, 2});
    CHECK(!norm(steps, 1).has_mask());
  }
}

}  // namespace maskgrad::tests::test_zeros_select
