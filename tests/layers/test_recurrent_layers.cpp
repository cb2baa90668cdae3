#include <doctest/doctest.h>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_recurrent_layers {
namespace {

Tensor some(const Shape& shape, std::uint64_t seed = 1) {
  return random_normal(shape, Seed{seed}, DType::f64);
}

/// The weights of one model in another of the same shapes.
template <class A, class B>
void share(const A& from, const B& to) {
  const auto p = parameters(from), q = parameters(to);
  REQUIRE(p.size() == q.size());
  for (std::size_t i = 0; i < p.size(); ++i) q[i].set(p[i].value());
}

bool near(const Tensor& a, const Tensor& b) {
  const auto x = a.to_vector<double>(), y = b.to_vector<double>();
  if (x.size() != y.size()) return false;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::abs(x[i] - y[i]) > 1e-12) return false;
  }
  return a.mask() == b.mask();
}

const Mask holes = Mask::keep(
    {{true, false, true, true}, {false, true, false, false}, {false, false, false, false}});

/// A cell of a user's own, which an RNN takes step by step.
template <class C>
class Stepped {
 public:
  static constexpr std::string_view kind = "Stepped";
  static constexpr MaskContract contract = extend::cell_contract;
  explicit Stepped(C cell) : cell_(std::move(cell)) {}
  std::vector<std::int64_t> state_sizes() const { return cell_.state_sizes(); }
  Tensors forward(const Tensors& inputs) { return call(cell_, inputs); }
  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    f("cell", self.cell_);
  }
  LayerInfo info{kind, ""};

 private:
  C cell_;
};

TEST_CASE_TEMPLATE("an RNN over a cell is the layer of that cell", Pair, std::pair<GRU, GRUCell>,
                   std::pair<LSTM, LSTMCell>, std::pair<SimpleRNN, SimpleRNNCell>) {
  using L = typename Pair::first_type;
  using C = typename Pair::second_type;
  const Tensor x = some({3, 4, 2}).with_mask(holes);
  for (const bool sequences : {false, true}) {
    for (const bool backwards : {false, true}) {
      const RNNOptions options{.return_sequences = sequences, .go_backwards = backwards};
      L layer({.units = 3, .return_sequences = sequences, .go_backwards = backwards});
      RNN whole{C{{.units = 3}}, options}, stepped{Stepped<C>(C{{.units = 3}}), options};
      build(layer, Spec::f64({any, any, 2}));
      for (RNN* rnn : {&whole, &stepped}) {
        build(*rnn, Spec::f64({any, any, 2}));
        share(layer, *rnn);
        CHECK(near(layer(x), (*rnn)(x)));
        CHECK(near(layer(x.drop_mask("as data")), (*rnn)(x.drop_mask("as data"))));
        CHECK((*rnn)(zeros({2, 0, 2}, DType::f64)).shape() ==
              layer(zeros({2, 0, 2}, DType::f64)).shape());
      }
    }
  }
}

TEST_CASE("stacked cells give the same by kernels and step by step") {
  const auto stack = [](auto make) {
    return std::vector<AnyLayer>{make(SimpleRNNCell{{.units = 2}}), make(LSTMCell{{.units = 3}}),
                                 make(GRUCell{{.units = 2, .reset_after = false}})};
  };
  const RNNOptions options{.return_sequences = true, .return_state = true, .go_backwards = true};
  RNN whole{StackedRNNCells(stack([](auto cell) { return AnyLayer(cell); })), options};
  RNN stepped{StackedRNNCells(stack([](auto cell) { return AnyLayer(Stepped(cell)); })), options};
  build(whole, Spec::f64({any, any, 2}));
  build(stepped, Spec::f64({any, any, 2}));
  share(whole, stepped);
  for (const Mask& mask : {holes, Mask::keep(std::vector<bool>{true, false, true}, {3}), Mask()}) {
    const Tensor data = some({3, 4, 2});
    const Tensor x = (mask ? data.with_mask(mask) : data).with_grad();
    Tensors gradients[2];
    Tensors outputs[2];
    for (RNN* rnn : {&whole, &stepped}) {
      const auto at = rnn == &whole ? 0 : 1;
      outputs[at] = call(*rnn, Tensors{x, some({3, 2}, 2)});
      Tensor total = zeros({}, DType::f64);
      for (const auto& y : outputs[at]) total = total + sum(y * y);
      tape::backward({{total}}, {{ones({}, DType::f64)}});
      gradients[at].push_back(x.grad());
      x.clear_grad();
      for (const auto& p : parameters(*rnn)) gradients[at].push_back(p.grad());
    }
    REQUIRE(outputs[0].size() == outputs[1].size());
    for (std::size_t i = 0; i < outputs[0].size(); ++i) CHECK(near(outputs[0][i], outputs[1][i]));
    REQUIRE(gradients[0].size() == gradients[1].size());
    for (std::size_t i = 0; i < gradients[0].size(); ++i) {
      CHECK(near(gradients[0][i], gradients[1][i]));
    }
    for (RNN* rnn : {&whole, &stepped}) {
      for (const auto& p : parameters(*rnn)) p.clear_grad();
    }
  }
}

/// A cell of a user's own: the running sum of its inputs.
class SumCell {
 public:
  static constexpr std::string_view kind = "SumCell";
  static constexpr MaskContract contract = extend::cell_contract;
  std::vector<std::int64_t> state_sizes() const { return {2}; }
  Tensors forward(const Tensors& inputs) const {
    const Tensor sum = inputs[0] + inputs[1];
    return {2 * sum, sum};
  }
  LayerInfo info{kind, ""};
};

TEST_CASE("an RNN runs a user's cell, and a stack gives the last cell's output") {
  RNN rnn{SumCell{}, {.return_state = true}};
  build(rnn, Spec::f64({any, any, 2}));
  const Tensor x = ones({3, 4, 2}, DType::f64).with_mask(holes);
  const Tensors y = call(rnn, Tensors{x});
  CHECK(y[0].to_vector<double>() == std::vector<double>{6, 6, 2, 2, 0, 0});
  CHECK(y[0].mask().to_vector() == std::vector<bool>{true, true, false});
  CHECK(y[1].to_vector<double>() == std::vector<double>{3, 3, 1, 1, 0, 0});

  RNN stack{StackedRNNCells({SumCell{}, SumCell{}})};
  build(stack, Spec::f64({any, any, 2}));
  CHECK(stack(x).to_vector<double>() == std::vector<double>{24, 24, 4, 4, 0, 0});

  CHECK(throws<OptionError>([] { RNN{Dense{{.units = 2}}}; }, "Dense is no cell", "GRUCell"));
  CHECK(throws<OptionError>([] { StackedRNNCells({}); }, "it has no cells"));
  CHECK(throws<ShapeError>(
      [&] {
        call(rnn, Tensors{x, zeros({3, 5}, DType::f64)});
      },
      "initial state 0 is f64[3, 5]", "expected [3, 2]"));
}

/// The same with a way of its own over whole sequences.
class WholeSumCell : public SumCell {
 public:
  static constexpr std::string_view kind = "WholeSumCell";
  bool runs_whole() const { return !training(); }
  Tensors run_whole(const Tensor& x, const Tensors&, bool) {
    ++runs;
    path = std::string(extend::LayerScope::current()->path());
    return {2 * cumsum(x, 1), sum(x, 1)};
  }
  LayerInfo info{kind, ""};
  int runs = 0;
  std::string path;
};

TEST_CASE("an RNN takes a user's cell over whole sequences where the cell can") {
  RNN rnn{WholeSumCell{}, {.return_sequences = true, .return_state = true}};
  build(rnn, Spec::f64({any, any, 2}));
  const WholeSumCell* cell = nullptr;
  RNN::each_layer(rnn, [&](auto&&, AnyLayer& any) { cell = any.as<WholeSumCell>(); });
  const Tensor x = some({3, 4, 2}).with_mask(holes);
  const Tensors stepped = call(rnn, Tensors{x});
  CHECK(cell->runs == 0);
  const Evaluate evaluate;
  const Tensors whole = call(rnn, Tensors{x});
  CHECK(cell->runs == 1);
  CHECK(cell->path == "cell");
  CHECK(near(whole[0], stepped[0]));
  CHECK(!AnyLayer(SumCell{}).runs_whole());
}

template <class Options>
concept ResetsAfter = requires {
  Options{.units = 1, .reset_after = false};
};
template <class Options>
concept Stateful = requires {
  Options{.units = 1, .stateful = true};
};
static_assert(ResetsAfter<GRUOptions> && !ResetsAfter<LSTMOptions> && ResetsAfter<GRUCellOptions>);
static_assert(Stateful<GRUOptions> && Stateful<LSTMOptions> && !Stateful<LSTMCellOptions>);

TEST_CASE_TEMPLATE("an initial state is checked on both ways", L, GRU, LSTM, SimpleRNN) {
  for (const std::string activation : {"tanh", "softsign"}) {
    L layer({.units = 3, .activation = activation});
    build(layer, Spec::f64({any, any, 2}));
    const Tensor x = some({3, 4, 2});
    CHECK(throws<ShapeError>(
        [&] {
          call(layer, Tensors{x, some({2, 3})});
        },
        L::kind, "initial state 0 is f64[2, 3]", "expected [3, 3]"));
  }
}

TEST_CASE("an LSTM begins from a cell state alone") {
  LSTM layer{{.units = 3}};
  build(layer, Spec::f64({any, any, 2}));
  const Tensor x = some({3, 4, 2}), c = some({3, 3}, 2), none = zeros({3, 3}, DType::f64);
  const auto alone = layer.with_state(x, {.h = {}, .c = c}), both = layer.with_state(x, {none, c});
  CHECK(near(alone.output, both.output));
  CHECK(!near(alone.output, layer(x)));
}

TEST_CASE("under a mask over samples a state that is begun without data carries it") {
  for (const std::string activation : {"tanh", "softsign"}) {
    RNN rnn{GRUCell{{.units = 3, .activation = activation}}, {.return_state = true}};
    GRU gru{{.units = 3, .activation = activation, .return_state = true}};
    const Spec spec = Spec::f64({any, any, 2}).masked(1);
    CHECK(build(rnn, std::vector{spec})[1].mask().rank() == 1);
    CHECK(build(gru, std::vector{spec})[1].mask().rank() == 1);
  }
}

TEST_CASE_TEMPLATE("a stateful layer goes on where the last batch ended", L, GRU, LSTM, SimpleRNN) {
  L whole({.units = 3, .return_sequences = true});
  L parts({.units = 3, .return_sequences = true, .stateful = true});
  build(whole, Spec::f64({any, any, 2}));
  build(parts, Spec::f64({any, any, 2}));
  share(whole, parts);
  const Mask mask = Mask::from_lengths({6, 2, 5});
  const Tensor x = some({3, 6, 2}).with_mask(mask);
  const Tensor all = whole(x);
  for (int pass = 0; pass < 2; ++pass) {
    CHECK(near(parts(slice(x, 1, 0, 4)), slice(all, 1, 0, 4)));
    CHECK(near(parts(slice(x, 1, 4)), slice(all, 1, 4)));
    parts.reset_state();
  }
  // Sample 1 begins anew, the others go on.
  parts(x);
  parts.reset_state({1});
  const Tensor anew = parts(x);
  CHECK(near(select(anew, 0, 1), select(all, 0, 1)));
  CHECK(!near(select(anew, 0, 0), select(all, 0, 0)));

  CHECK(throws<ShapeError>(
      [&] {
        parts(some({2, 6, 2}));
      },
      "3 samples, this batch has 2", "reset_state()"));
  CHECK(throws<IndexError>([&] { parts.reset_state({0, 3}); }, "sample 3", "batch of 3"));
}

TEST_CASE("a model's states are reset together") {
  Sequential model{GRU{{.units = 3, .return_sequences = true, .stateful = true}},
                   Bidirectional{RNN{GRUCell{{.units = 2}}, {.stateful = true}}}};
  model.build(Spec::f64({any, any, 2}));
  const Tensor x = some({2, 3, 2});
  const auto first = model(x).to_vector<double>();
  CHECK(model(x).to_vector<double>() != first);
  reset_states(model, {});  // of no sample
  CHECK(model(x).to_vector<double>() != first);
  reset_states(model);
  CHECK(model(x).to_vector<double>() == first);
}

}  // namespace
}  // namespace maskgrad::tests::test_recurrent_layers
