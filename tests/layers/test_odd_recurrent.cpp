#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include <maskgrad/autograd/ops/sequence/recurrent.hpp>
#include <maskgrad/layers/recurrent/by_steps.hpp>
#include <maskgrad/maskgrad.hpp>

// The fused recurrences give what the same cells composed of operations do also where weights,
// inputs and states are not finite: a gradient of 0 reads none of them.

namespace maskgrad::tests::test_odd_recurrent {
namespace {

using kernels::Cell;
using Values = std::vector<double>;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();
constexpr std::int64_t batch = 3, time = 4, features = 3, units = 5;

/// Leaves of both ways, from one seed.
struct Leaves {
  Tensor x, h, c;
};

bool same(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b || std::abs(a - b) <= 1e-12 * std::max(1.0, std::abs(a));
}

std::string apart(const std::vector<Values>& a, const std::vector<Values>& b) {
  if (a.size() != b.size()) return "sizes";
  for (std::size_t k = 0; k < a.size(); ++k) {
    for (std::size_t i = 0; i < a[k].size(); ++i) {
      if (same(a[k][i], b[k][i])) continue;
      return "value " + std::to_string(i) + " of result " + std::to_string(k) + ": " +
             std::to_string(a[k][i]) + ", " + std::to_string(b[k][i]);
    }
  }
  return "";
}

/// One drawing of a cell's weights, inputs and asked outputs, with odd values somewhere.
template <class C>
class Odd {
 public:
  Odd(C cell, Cell kind, bool reset_after, unsigned seed)
      : cell_(std::move(cell)), kind_(kind), reset_after_(reset_after), random_(seed) {
    build(cell_, {Spec::f64({any, features}), Spec::f64({any, units}), Spec::f64({any, units})},
          kind);
    for (const auto& p : parameters(cell_)) weights_.push_back(spoiled(p.value(), 0.06));
    // Positive, so that infinite weights close and open gates; a few are odd or 0.
    x_ = spoiled(random_uniform({batch, time, features}, Seed{seed}, 0.2, 1, DType::f64), 0.03);
    h_ = spoiled(random_uniform({batch, units}, Seed{seed + 1}, 0.2, 1, DType::f64), 0.05);
    c_ = random_uniform({batch, units}, Seed{seed + 2}, -1, 1, DType::f64);
    asked_ = random_uniform({batch, time, units}, Seed{seed + 3}, -1, 1, DType::f64);
    auto asked = asked_.to_vector<double>();
    for (auto& v : asked) v = chance(0.7) ? 0 : v;
    asked_ = tensor(asked, {batch, time, units});
  }

  std::vector<Values> fused() {
    return seen([&](const Tensor& x, const Tensor& h, const Tensor& c) {
      const auto p = parameters(cell_);
      return recurrent(kind_, reset_after_, false, x, {p[0].tensor(), p[1].tensor(), p[2].tensor()},
                       {h, kind_ == Cell::lstm ? c : Tensor()})
          .output;
    });
  }
  std::vector<Values> composed() {
    return seen([&](const Tensor& x, const Tensor& h, const Tensor& c) {
      const Tensors start = kind_ == Cell::lstm ? Tensors{h, c} : Tensors{h};
      return detail::run_by_steps(x, start, false, [&](const Tensor& x_t, const Tensors& states) {
        Tensors inputs{x_t};
        inputs.insert(inputs.end(), states.begin(), states.end());
        return call(cell_, inputs);
      })[0];
    });
  }

 private:
  static void build(C& cell, std::vector<Spec> specs, Cell kind) {
    if (kind != Cell::lstm) specs.pop_back();
    maskgrad::build(cell, specs);
  }
  bool chance(double p) { return std::uniform_real_distribution<double>(0, 1)(random_) < p; }
  Tensor spoiled(const Tensor& x, double share) {
    auto all = x.to_vector<double>();
    const double odd[] = {-inf, -inf, inf, nan};
    for (auto& v : all) {
      if (chance(share)) v = odd[random_() % 4];
    }
    return tensor(all, x.shape());
  }

  template <class F>
  std::vector<Values> seen(F&& run) {
    const auto p = parameters(cell_);
    for (std::size_t i = 0; i < p.size(); ++i) p[i].set(weights_[i]);
    const Tensor x = x_.value().with_grad(), h = h_.value().with_grad(), c = c_.value().with_grad();
    const Tensor y = run(x, h, c);
    // A value that is not asked for is not read.
    sum(where(not_equal(asked_, 0), y * asked_, zeros({}, DType::f64))).backward();
    std::vector<Values> all{y.to_vector<double>(), x.grad().to_vector<double>(),
                            h.grad().to_vector<double>()};
    if (kind_ == Cell::lstm) all.push_back(c.grad().template to_vector<double>());
    for (const auto& w : p) {
      all.push_back(w.grad().template to_vector<double>());
      w.clear_grad();
    }
    return all;
  }

  C cell_;
  Cell kind_;
  bool reset_after_;
  std::mt19937 random_;
  std::vector<Tensor> weights_;
  Tensor x_, h_, c_, asked_;
};

template <class C>
void check(const typename C::Options& options, Cell kind, bool reset_after) {
  int zeros = 0;
  for (unsigned seed = 0; seed < 150; ++seed) {
    Odd<C> odd(C(options), kind, reset_after, seed);
    const auto fused = odd.fused();
    const std::string difference = apart(fused, odd.composed());
    CHECK_MESSAGE(difference.empty(), C::kind, ", seed ", seed, ": ", difference);
    zeros += std::count(fused[1].begin(), fused[1].end(), 0.0) > 0;
  }
  CHECK(zeros > 0);
}

}  // namespace

TEST_SUITE("zeros select") {
  TEST_CASE("a gate that an infinite weight closes has the gradient 0") {
    SimpleRNN layer({.units = 1, .return_sequences = true});
    build(layer, Spec::f64({any, any, 2}));
    const auto p = parameters(layer);
    p[0].set(tensor({-inf, 1.}, {2, 1}));
    p[1].set(tensor({inf}, {1, 1}));
    const Tensor x = tensor({1., 2., 3., 4.}, {1, 2, 2}).with_grad();
    const Tensor y = slice(call(layer, Tensors{x, full({1, 1}, -1, DType::f64)})[0], 1, 0, 1);
    CHECK(y.to_vector<double>() == Values{-1});
    sum(y).backward();
    CHECK(x.grad().to_vector<double>() == Values(4));
    for (const auto& w : p)
      CHECK(w.grad().to_vector<double>() == Values(static_cast<std::size_t>(w.shape().count())));
  }

  TEST_CASE("fused recurrences read what the composed ones do of odd weights, inputs and states") {
    check<SimpleRNNCell>({.units = units}, Cell::simple_rnn, true);
    check<GRUCell>({.units = units}, Cell::gru, true);
    check<GRUCell>({.units = units, .reset_after = false}, Cell::gru, false);
    check<LSTMCell>({.units = units}, Cell::lstm, true);
  }
}

}  // namespace maskgrad::tests::test_odd_recurrent
