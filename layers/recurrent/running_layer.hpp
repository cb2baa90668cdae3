#pragma once

#include <maskgrad/layers/recurrent/recurrence.hpp>

namespace maskgrad::detail {

/// What all recurrent layers with weights do along time: they run their core from states, hand them
/// on, and make their own mirror images. `Derived` names the layer; `Base` has its `core_`,
/// `options()`, `info` and, as far as they are known before it is built, `state_widths()`; `States`
/// turns the state, as users see it, into tensors and back.
template <class Derived, class Base, class States>
class RunningLayer : public Base {
 public:
  using Base::info;
  using typename Base::Options;
  static constexpr TimeContract time = recurrent_time;

  explicit RunningLayer(Options options)
      : Base(std::move(options)),
        recurrence_({.return_sequences = this->options().return_sequences,
                     .return_state = this->options().return_state,
                     .go_backwards = this->options().go_backwards,
                     .stateful = this->options().stateful},
                    this->state_widths()) {}

  MaskContract contract_now() const { return recurrence_.contract(); }
  TimeContract time_now() const { return recurrence_.time(); }
  std::optional<TimeContract> time_over_context(std::int64_t) const { return time_now(); }

  Tensor operator()(const Tensor& x) { return call(self(), x); }
  Tensors forward(const Tensors& inputs) {
    return recurrence_.forward(this->core_, inputs[0], {inputs.begin() + 1, inputs.end()},
                               this->options().return_state);
  }

  using State = typename States::State;
  struct WithState {
    Tensor output;
    State state;
  };
  /// {output, state}, from an initial state where one is given.
  WithState with_state(const Tensor& x, const State& initial = {}) {
    if (!info.built) place_late(info);
    const extend::LayerScope scope(Derived::kind, info.path);
    const LayerNoise noise(info.noise);
    Tensors inputs{x}, states = States::tensors(initial);
    for (const auto& s : states) {
      if (s.defined()) inputs.push_back(s);
    }
    admit(contract_now(), inputs);
    if (!info.built) build_layer(self(), inputs);
    const Tensors all = recurrence_.forward(this->core_, x, std::move(states), true);
    return {all[0], States::state({all.begin() + 1, all.end()})};
  }

  /// The same layer without weights, over the steps in the other direction, its outputs back in
  /// this one's order: the other half of a Bidirectional.
  Derived mirrored() const {
    Options options = this->options();
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

 protected:
  Derived& self() { return static_cast<Derived&>(*this); }

  Recurrence recurrence_;
};

/// A state that is one tensor, or several.
struct OneState {
  using State = Tensor;
  static Tensors tensors(const State& state) { return {state}; }
  static State state(const Tensors& all) { return all[0]; }
};
struct SeveralStates {
  using State = Tensors;
  static Tensors tensors(const State& state) { return state; }
  static State state(const Tensors& all) { return all; }
};

}  // namespace maskgrad::detail
