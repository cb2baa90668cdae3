#pragma once

#include <maskgrad/layers/recurrent/recurrence.hpp>

namespace maskgrad::detail {

/// What a layer of a linear recurrence does with a mask: what GRU does. Keras has none of them.
inline constexpr MaskContract linear_contract = [] {
  MaskContract contract = recurrent_contract;
  contract.keras = "has none";
  return contract;
}();

/// What the layers whose states follow each other linearly have in common; the class of each names
/// it. Its `Core` holds options and weights and runs whole sequences: `build(x, builder)`,
/// `state_sizes()` once built, `enter(x)`, and `run_whole(x, states, backwards)`, which gives all
/// outputs, then the states behind the last steps; undefined states are zeros. What a call of the
/// layer does with states, from batch to batch and from piece to piece, is what GRU does.
template <class Derived, class Core>
class LinearLayer {
 public:
  using Options = typename Core::Options;
  static constexpr MaskContract contract = linear_contract;
  static constexpr TimeContract time = recurrent_time;

  explicit LinearLayer(Options options)
      : info(Derived::kind, options.name),
        core_(std::move(options)),
        recurrence_({.return_sequences = core_.options().return_sequences,
                     .return_state = core_.options().return_state,
                     .go_backwards = core_.options().go_backwards,
                     .stateful = core_.options().stateful},
                    {}) {}

  MaskContract contract_now() const { return recurrence_.contract(); }
  TimeContract time_now() const { return recurrence_.time(); }
  Tensor operator()(const Tensor& x) { return call(self(), x); }
  void build(const Tensor& x, Builder& builder) {
    core_.build(x, builder);
    recurrence_.set_sizes(core_.state_sizes());
  }
  Tensors forward(const Tensors& inputs) {
    return recurrence_.forward(core_, inputs[0], {inputs.begin() + 1, inputs.end()},
                               options().return_state);
  }

  /// The state, as tensors [batch, size] in the order of state_sizes(); of one state that itself.
  using State = std::conditional_t<Core::one_state, Tensor, Tensors>;
  struct WithState {
    Tensor output;
    State state;
  };
  /// {output, state}, from an initial state where one is given.
  WithState with_state(const Tensor& x, const State& initial = {}) {
    if (!info.built) place_late(info);
    const extend::LayerScope scope(Derived::kind, info.path);
    const LayerNoise noise(info.noise);
    Tensors inputs{x}, states;
    if constexpr (Core::one_state) {
      states = {initial};
    } else {
      states = initial;
    }
    for (const auto& s : states) {
      if (s.defined()) inputs.push_back(s);
    }
    admit(contract_now(), inputs);
    if (!info.built) build_layer(self(), inputs);
    Tensors all = recurrence_.forward(core_, x, std::move(states), true);
    if constexpr (Core::one_state) {
      return {all[0], all[1]};
    } else {
      return {all[0], {all.begin() + 1, all.end()}};
    }
  }
  /// How wide each state is, once the layer is built.
  std::vector<std::int64_t> state_widths() const { return core_.state_sizes(); }

  /// The same layer without weights, over the steps in the other direction, its outputs back in
  /// this one's order: the other half of a Bidirectional.
  Derived mirrored() const {
    Options options = core_.options();
    options.go_backwards = !options.go_backwards;
    Derived other(std::move(options));
    other.recurrence_ = recurrence_.mirrored();
    return other;
  }

  /// With `stateful`: the next batch begins anew, or these samples of it.
  void reset_state() { recurrence_.reset_state(); }
  void reset_state(const std::vector<std::int64_t>& samples) {
    recurrence_.reset_state(Derived::kind, samples);
  }
  CarriedState* carried_state() { return recurrence_.carried_state(); }

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    Core::each_parameter(self.core_, f);
  }
  const Options& options() const { return core_.options(); }

  LayerInfo info;

 private:
  Derived& self() { return static_cast<Derived&>(*this); }

  Core core_;
  Recurrence recurrence_;
};

}  // namespace maskgrad::detail
