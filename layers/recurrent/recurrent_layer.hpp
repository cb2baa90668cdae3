#pragma once

#include <maskgrad/layers/recurrent/recurrent_core.hpp>
#include <maskgrad/layers/recurrent/running_layer.hpp>

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
  /// How wide each state is. (Of a layer: only cells have `state_sizes`.)
  std::vector<std::int64_t> state_widths() const { return core_.state_sizes(); }

  LayerInfo info;

 protected:
  Options options_;
  RecurrentCore core_;
};

/// The state of an LSTM: h and c.
struct TwoStates {
  using State = RecurrentState;
  static Tensors tensors(const State& state) { return {state.h, state.c}; }
  static State state(const Tensors& all) { return {all[0], all[1]}; }
};

/// What SimpleRNN, GRU and LSTM have in common; the class of each names it.
template <class Derived, kernels::Cell cell>
class RecurrentLayer
    : public RunningLayer<Derived, RecurrentBase<Derived, true, cell>,
                          std::conditional_t<cell == kernels::Cell::lstm, TwoStates, OneState>> {
  using Running =
      RunningLayer<Derived, RecurrentBase<Derived, true, cell>,
                   std::conditional_t<cell == kernels::Cell::lstm, TwoStates, OneState>>;

 public:
  using Running::Running;
  static constexpr MaskContract contract = recurrent_contract;
};

}  // namespace maskgrad::detail
