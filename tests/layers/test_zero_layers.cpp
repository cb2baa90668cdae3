#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/core/random.hpp>
#include <maskgrad/maskgrad.hpp>

// What no output that is asked for can see is not read: NaN and infinity in later steps reach
// nothing of a causal layer, forward and backward. And a recurrence by steps costs what its rows
// cost.

namespace maskgrad::tests::test_zero_layers {
namespace {

using Values = std::vector<double>;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();
constexpr std::int64_t batch = 2, time = 6, features = 4, asked = 4;

/// Noise, with `value` in the steps behind those that are asked for.
Tensor steps(double value) {
  auto values = random_normal({batch, time, features}, Seed{7}, DType::f64).to_vector<double>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto t = static_cast<std::int64_t>(i) / features % time;
    if (t >= asked) values[i] = value;
  }
  return tensor(values, {batch, time, features}).with_grad();
}

/// Outputs and gradients of the steps that are asked for, with `value` behind them.
std::vector<Values> run(Sequential& model, double value, bool masked) {
  const Tensor x = steps(value);
  const Mask all = Mask::from_lengths({time, time});
  const Tensor y = slice(model(masked ? x.with_mask(all) : x), 1, 0, asked);
  sum(y * y).backward();
  std::vector<Values> seen{y.to_vector<double>(), x.grad().to_vector<double>()};
  for (const auto& p : parameters(model)) {
    if (!p.trainable()) continue;
    seen.push_back(p.grad().defined() ? p.grad().to_vector<double>() : Values{});
    p.clear_grad();
  }
  return seen;
}

/// Declares that it stays inside a row, and takes the mean over all steps off.
struct MinusMean {
  static constexpr std::string_view kind = "MinusMean";
  static constexpr MaskContract contract{.role = MaskRole::propagates, .why = "a fault"};
  LayerInfo info{kind, ""};

  Tensor forward(const Tensor& x) const { return x - mean(x, 1, true); }
  template <class Self, class F>
  static void each_parameter(Self&, F&&) {}
};

}  // namespace

TEST_SUITE("laws of layers") {
  TEST_CASE("a layer that mixes rows but declares that it propagates breaks law 3") {
    const auto report = check_mask_laws(MinusMean{}, Spec::f32({any, any, 3}));
    const auto mixes = [](const auto& failure) {
      return failure.law == 3 && failure.what.starts_with("one row changes: result 0[");
    };
    CHECK_MESSAGE(std::any_of(report.failures.begin(), report.failures.end(), mixes), report.str());
  }
}

TEST_SUITE("zeros select") {
  TEST_CASE("a causal layer reads no later step") {
    const std::vector<AnyLayer> layers{
        GRU{{.units = 3, .return_sequences = true}},
        GRU{{.units = 3, .activation = "relu", .return_sequences = true}},
        GRU{{.units = 3, .return_sequences = true, .reset_after = false}},
        LSTM{{.units = 3, .return_sequences = true}},
        SimpleRNN{{.units = 3, .return_sequences = true}},
        MaskedConv1D{{.filters = 3, .kernel_size = 3, .padding = "causal"}},
        MultiHeadAttention{{.num_heads = 2, .key_dim = 3, .use_causal_mask = true}},
        GroupedQueryAttention{{.head_dim = 2,
                               .num_query_heads = 4,
                               .num_key_value_heads = 2,
                               .use_causal_mask = true}},
        Attention{{.use_causal_mask = true}},
        Attention{{.score_mode = "concat", .use_causal_mask = true}},
        AdditiveAttention{{.use_causal_mask = true}},
        LayerNormalization{},
        Dense{{.units = 3, .activation = "gelu"}},
    };
    for (const auto& layer : layers) {
      CAPTURE(layer.kind());
      Sequential model(
          std::vector<AnyLayer>{Dense{{.units = features}}, layer, Dense{{.units = 2}}});
      model.build(Spec::f64({any, any, features}), Seed{3});
      for (const bool masked : {false, true}) {
        CAPTURE(masked);
        const auto clean = run(model, 0.5, masked);
        for (const double odd : {nan, inf, -inf}) CHECK(run(model, odd, masked) == clean);
      }
    }
  }
}

TEST_SUITE("recurrence by steps") {
  TEST_CASE("under a mask each step works on the sequences that have it") {
    const Mask mask = Mask::keep({{true, false, true, true},
                                  {false, false, false, false},
                                  {false, true, false, false},
                                  {true, true, true, true}});
    const Tensor x = random_normal({4, 4, 2}, Seed{1}, DType::f64).with_mask(mask).with_grad();
    for (const bool backwards : {false, true}) {
      std::vector<std::int64_t> seen;
      const auto results = detail::run_by_steps(x, {zeros({4, 2}, DType::f64)}, backwards,
                                                [&](const Tensor& x_t, const Tensors& states) {
                                                  seen.push_back(x_t.size(0));
                                                  CHECK(!x_t.has_mask());
                                                  const Tensor next = states[0] + x_t;
                                                  return Tensors{next, next};
                                                });
      CHECK(seen == std::vector<std::int64_t>{3, 2, 2, 1});
      CHECK(results[0].mask() == mask);
      const Tensor expected = backwards ? reverse(cumsum(reverse(x), 1)) : cumsum(x, 1);
      CHECK(max(abs(results[0] - expected)).item() < 1e-14);
      CHECK(max(abs(results[1] - sum(x, 1))).item() < 1e-14);
      CHECK(results[1].item({1, 0}) == 0);
    }
  }
}

}  // namespace maskgrad::tests::test_zero_layers
