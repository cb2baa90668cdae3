#pragma once

#include <maskgrad/layers/recurrent/recurrence.hpp>
#include <maskgrad/layers/recurrent/recurrent_core.hpp>

namespace maskgrad::detail {

/// What the three layers and the three cells have in common: options, and a core that they make.
template <class Derived, bool layer, kernels::Cell cell>
class RecurrentBase {
 public:
  using Options = RecurrentOptions<layer, cell>;

  explicit RecurrentBase(Options options)
      : info(Derived::kind, options.name),
        options_(std::move(options)),
        core_(Derived::kind, cell, settings_of(options_)) {}

  void build(const Tensor& x, Builder& builder) { core_.build(x, builder); }
  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    RecurrentCore::each_parameter(self.core_, f);
  }
  const Options& options() const { return options_; }

  LayerInfo info;

 protected:
  Options options_;
  RecurrentCore core_;
};

inline Tensors as_tensors(const RecurrentState& state) {
  return {state.h, state.c};
}

/// What SimpleRNN, GRU and LSTM have in common; the class of each names it.
template <class Derived, kernels::Cell cell>
class RecurrentLayer : public RecurrentBase<Derived, true, cell> {
  using Base = RecurrentBase<Derived, true, cell>;
  static constexpr bool lstm = cell == kernels::Cell::lstm;

 public:
  using Base::info;
  using typename Base::Options;
  static constexpr MaskContract contract = recurrent_contract;
  static constexpr TimeContract time = recurrent_time;
  TimeContract time_now() const { return recurrence_.time(); }

  explicit RecurrentLayer(Options options)
      : Base(std::move(options)),
        recurrence_({.return_sequences = this->options_.return_sequences,
                     .return_state = this->options_.return_state,
                     .go_backwards = this->options_.go_backwards,
                     .stateful = this->options_.stateful},
                    this->core_.state_sizes()) {}

  MaskContract contract_now() const { return recurrence_.contract(); }
  Tensor operator()(const Tensor& x) { return call(self(), x); }
  Tensors forward(const Tensors& inputs) {
    return recurrence_.forward(this->core_, inputs[0], {inputs.begin() + 1, inputs.end()},
                               this->options_.return_state);
  }

  /// The state: h, of an LSTM h and c.
  using State = std::conditional_t<lstm, RecurrentState, Tensor>;
  struct WithState {
    Tensor output;
    State state;
  };
  /// {output, state}, from an initial state where one is given.
  WithState with_state(const Tensor& x, const State& initial = {}) {
    if (!info.built) place_late(info);
    const extend::LayerScope scope(Derived::kind, info.path);
    const LayerNoise noise(info.noise);
    Tensors inputs{x}, states = as_tensors(initial);
    for (const auto& s : states) {
      if (s.defined()) inputs.push_back(s);
    }
    admit(contract_now(), inputs);
    if (!info.built) build_layer(self(), inputs);
    const Tensors all = recurrence_.forward(this->core_, x, std::move(states), true);
    if constexpr (lstm) {
      return {all[0], {all[1], all[2]}};
    } else {
      return {all[0], all[1]};
    }
  }

  /// The same layer without weights, over the steps in the other direction, its outputs back in
  /// this one's order: the other half of a Bidirectional.
  Derived mirrored() const {
    Options options = this->options_;
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

 private:
  Derived& self() { return static_cast<Derived&>(*this); }

  Recurrence recurrence_;
};

}  // namespace maskgrad::detail
