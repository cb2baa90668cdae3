#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

// Layers whose states follow each other linearly. What their formulas give stands in
// conformance/cases, made by conformance/make_linear_recurrences.py.

namespace maskgrad::tests::test_linear_layers {
namespace {

MinGRU min_gru() {
  return MinGRU{{.units = 4, .return_sequences = true}};
}
MinLSTM min_lstm() {
  return MinLSTM{{.units = 4, .return_sequences = true}};
}
RGLRU rg_lru() {
  return RGLRU{{.num_blocks = 3, .return_sequences = true}};
}
S6 s6() {
  return S6{{.state_size = 2, .return_sequences = true}};
}
LinearAttention linear_attention() {
  return LinearAttention{
      {.num_heads = 2, .key_dim = 3, .value_dim = 2, .decay = "learned", .return_sequences = true}};
}

template <class L>
L built(L layer) {
  build(layer, Spec::f64({any, any, 3}).masked(2), Seed{3});
  return layer;
}

Tensor steps(std::int64_t time) {
  const Mask mask = Mask::keep(greater(random_uniform({4, time}, Seed{1}), 0.3));
  return random_normal({4, time, 3}, Seed{2}, DType::f64).with_mask(mask);
}

double apart(const Tensor& x, const Tensor& y) {
  REQUIRE(x.shape() == y.shape());
  const auto a = x.to_vector<double>(0), b = y.to_vector<double>(0);
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double far = std::abs(a[i] - b[i]);
    worst = std::max(worst, std::isnan(far) ? std::numeric_limits<double>::infinity() : far);
  }
  return worst;
}

/// Output, last state, and what their sum has for gradients.
template <class L>
Tensors with_gradients(L& layer, const Tensor& output, const Tensors& states, const Tensor& x) {
  Tensor total = sum(sin(output));
  for (const auto& s : states) total = total + sum(sin(s));
  Tensors of{x};
  for (const auto& p : parameters(layer)) of.push_back(p.tensor());
  Tensors all = gradients(total, of);
  all.push_back(output);
  all.insert(all.end(), states.begin(), states.end());
  return all;
}

Tensors listed(const Tensor& state) {
  return {state};
}
Tensors listed(const Tensors& states) {
  return states;
}

/// One piece after the other, cut at these steps.
template <class L>
Tensors in_pieces(L& layer, const Tensor& x, const std::vector<std::int64_t>& cuts) {
  Tensors outputs;
  typename L::State state{};
  std::int64_t from = 0;
  for (const auto to : cuts) {
    const auto piece = layer.with_state(slice(x, 1, from, to), state);
    outputs.push_back(piece.output);
    state = piece.state;
    from = to;
  }
  return with_gradients(layer, concatenate(outputs, 1), listed(state), x);
}

template <class L>
void check_pieces(L layer, std::int64_t time, const std::vector<std::int64_t>& cuts) {
  CAPTURE(L::kind);
  const Tensor x = steps(time).with_grad();
  const auto whole = layer.with_state(x);
  const Tensors expected = with_gradients(layer, whole.output, listed(whole.state), x);
  const Tensors found = in_pieces(layer, x, cuts);
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK(apart(found[i], expected[i]) <= 1e-10);
  }
}

std::vector<std::int64_t> single_steps(std::int64_t time) {
  std::vector<std::int64_t> cuts;
  for (std::int64_t t = 1; t <= time; ++t) cuts.push_back(t);
  return cuts;
}

}  // namespace

TEST_CASE("pieces of any size with the states between them are the whole, values and gradients") {
  const std::vector<std::int64_t> cuts{3, 3, 4, 11, 12};
  check_pieces(built(min_gru()), 12, cuts);
  check_pieces(built(min_lstm()), 12, cuts);
  check_pieces(built(rg_lru()), 12, cuts);
  check_pieces(built(s6()), 12, cuts);
  check_pieces(built(linear_attention()), 12, cuts);
}

TEST_CASE("step by step is the whole, beyond the pieces in which layers work inside") {
  check_pieces(built(linear_attention()), 150, single_steps(150));
  check_pieces(built(s6()), 40, single_steps(40));
}

TEST_CASE_TEMPLATE("a sequence without steps keeps its state, and has no last output", L, MinGRU,
                   MinLSTM, RGLRU, S6, LinearAttention) {
  const auto layer_of = [] {
    if constexpr (std::is_same_v<L, RGLRU> || std::is_same_v<L, S6>) return L{{}};
    if constexpr (std::is_same_v<L, LinearAttention>) return L{{.num_heads = 1, .key_dim = 2}};
    if constexpr (std::is_same_v<L, MinGRU> || std::is_same_v<L, MinLSTM>) return L{{.units = 2}};
  };
  L layer = built(layer_of());
  const Tensor x = random_normal({2, 4, 3}, Seed{1}, DType::f64);
  typename L::State initial{};
  Tensors all;
  for (const auto size : layer.state_widths()) {
    all.push_back(random_normal({2, size}, Seed{2}, DType::f64));
  }
  if constexpr (std::is_same_v<typename L::State, Tensor>) {
    initial = all[0];
  } else {
    initial = all;
  }
  const auto [output, state] =
      layer.with_state(x.with_mask(Mask::from_lengths({0, 3}, 4)), initial);
  CHECK(output.mask().to_vector() == std::vector<bool>{false, true});
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Tensor now = listed(state)[i];
    CHECK(select(now, 0, 0).template to_vector<double>() ==
          select(all[i], 0, 0).template to_vector<double>());
    CHECK(select(now, 0, 1).template to_vector<double>() !=
          select(all[i], 0, 1).template to_vector<double>());
  }
  CHECK(layer(zeros({2, 0, 3}, DType::f64)).mask().to_vector() == std::vector<bool>{false, false});
}

TEST_CASE("stateful layers go on from batch to batch, and begin anew when told") {
  S6 plain = built(s6());
  S6 stateful = built(S6{{.state_size = 2, .return_sequences = true, .stateful = true}});
  const auto from = parameters(plain), to = parameters(stateful);
  for (std::size_t i = 0; i < from.size(); ++i) to[i].set(from[i].value());
  const Tensor x = random_normal({2, 8, 3}, Seed{1}, DType::f64);
  const Tensor whole = plain(x);
  stateful(slice(x, 1, 0, 5));
  CHECK(apart(stateful(slice(x, 1, 5, 8)), slice(whole, 1, 5, 8)) <= 1e-12);
  stateful.reset_state({1});
  const Tensor again = stateful(slice(x, 1, 0, 5));
  CHECK(apart(slice(again, 0, 1, 2), slice(slice(whole, 0, 1, 2), 1, 0, 5)) <= 1e-12);
  CHECK(apart(slice(again, 0, 0, 1), slice(slice(whole, 0, 0, 1), 1, 0, 5)) > 1e-3);
}

TEST_CASE("weights begin as their papers say") {
  RGLRU unit = built(rg_lru());
  const auto of = [](auto& layer, std::string_view name) {
    for (const auto& p : parameters(layer)) {
      if (p.name().ends_with(name)) return p.value();
    }
    throw std::runtime_error("no such weight");
  };
  for (const double d : of(unit, "decay").template to_vector<double>()) {
    const double a = std::exp(-8 * std::log1p(std::exp(d)));
    CHECK(a >= 0.9);
    CHECK(a <= 0.999);
  }
  S6 mixer = built(s6());
  for (const double b : of(mixer, "delta_bias").template to_vector<double>()) {
    const double delta = std::log1p(std::exp(b));
    CHECK(delta >= 0.00099);
    CHECK(delta <= 0.1001);
  }
  const auto rates = exp(of(mixer, "s6/decay")).to_vector<double>();
  CHECK(rates.front() == doctest::Approx(1));
  CHECK(rates.back() == doctest::Approx(2));
}

TEST_CASE("training S6 and LinearAttention never holds a state for each step") {
  constexpr std::int64_t time = 2048, features = 16;
  const Tensor x = random_normal({1, time, features}, Seed{1}).with_grad();
  const auto most_bytes = [&](AnyLayer layer) {
    build(layer, Spec::f32({any, any, features}));
    const auto before = memory::stats().bytes_in_use;
    memory::reset_high_water();
    const Tensor y = layer.call({x})[0];
    tape::backward({{y}}, {{ones(y.shape())}});
    x.clear_grad();
    return memory::stats().high_water - before;
  };
  constexpr std::int64_t of_value = sizeof(float) * time;
  CHECK(most_bytes(S6{{.state_size = 128, .return_sequences = true}}) <
        of_value * 2 * features * 128 * 3 / 4);
  CHECK(most_bytes(LinearAttention{{.num_heads = 1, .key_dim = 128, .return_sequences = true}}) <
        of_value * 128 * 128 / 2);
}

TEST_CASE_TEMPLATE("what is NaN or infinite reaches no step before it, and no other sequence", L,
                   MinGRU, MinLSTM, RGLRU, S6, LinearAttention) {
  L layer = [] {
    if constexpr (std::is_same_v<L, MinGRU>) return built(min_gru());
    if constexpr (std::is_same_v<L, MinLSTM>) return built(min_lstm());
    if constexpr (std::is_same_v<L, RGLRU>) return built(rg_lru());
    if constexpr (std::is_same_v<L, S6>) return built(s6());
    if constexpr (std::is_same_v<L, LinearAttention>) return built(linear_attention());
  }();
  const Tensor x = random_normal({2, 9, 3}, Seed{1}, DType::f64);
  const Tensor whole = layer(x);
  for (const double odd : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    auto values = x.to_vector<double>();
    values[6 * 3 + 1] = odd;
    const Tensor y = layer(tensor(values, x.shape()));
    CHECK(apart(slice(slice(y, 0, 0, 1), 1, 0, 6), slice(slice(whole, 0, 0, 1), 1, 0, 6)) <= 1e-12);
    CHECK(slice(y, 0, 1, 2).template to_vector<double>() ==
          slice(whole, 0, 1, 2).template to_vector<double>());
  }
}

TEST_CASE("options and states that do not fit are refused by name") {
  CHECK(throws<OptionError>([] { MinGRU{{.units = 0}}; }, "MinGRU", ".units is 0"));
  CHECK(throws<OptionError>([] { MinLSTM{{.units = 2, .activation = "tnah"}}; }, "tanh"));
  CHECK(throws<OptionError>([] { built(RGLRU{{.num_blocks = 2}}); }, "RGLRU 'rglru'",
                            ".num_blocks is 2 for", "divides the features"));
  CHECK(throws<OptionError>([] { S6{{.kernel_size = 0}}; }, "S6", "kernel_size"));
  CHECK(throws<OptionError>(
      [] { LinearAttention{{.num_heads = 1, .key_dim = 1, .decay = "fix"}}; },
      "LinearAttention: the option .decay is 'fix'; there are: fixed, learned, none"));
  S6 mixer = built(s6());
  CHECK(throws<ShapeError>(
      [&] {
        mixer.with_state(steps(3), {zeros({4, 5}, DType::f64)});
      },
      "S6 's6': initial state 0 is f64[4, 5]; expected [4, 18]"));
}

}  // namespace maskgrad::tests::test_linear_layers
