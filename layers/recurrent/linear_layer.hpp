#pragma once

#include <maskgrad/layers/recurrent/running_layer.hpp>

namespace maskgrad::detail {

/// What a layer of a linear recurrence does with a mask: what GRU does. Keras has none of them.
inline constexpr MaskContract linear_contract = [] {
  MaskContract contract = recurrent_contract;
  contract.keras = "has none";
  return contract;
}();

/// Options and weights of a layer whose states follow each other linearly, in its `Core`, which runs
/// whole sequences: `build(x, builder)`, `state_sizes()` once built, `enter(x)`, and
/// `run_whole(x, states, backwards)`, which gives all outputs, then the states behind the last
/// steps; undefined states are zeros.
template <class Derived, class Core>
class LinearBase {
 public:
  using Options = typename Core::Options;

  explicit LinearBase(Options options)
      : info(Derived::kind, options.name), core_(std::move(options)) {}

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    Core::each_parameter(self.core_, f);
  }
  const Options& options() const { return core_.options(); }
  /// How wide each state is, once the layer is built.
  std::vector<std::int64_t> state_widths() const {
    return info.built ? core_.state_sizes() : std::vector<std::int64_t>();
  }

  LayerInfo info;

 protected:
  Core core_;
};

/// What those layers have in common; the class of each names it. What a call does with states, from
/// batch to batch and from piece to piece, is what GRU does.
template <class Derived, class Core>
class LinearLayer
    : public RunningLayer<Derived, LinearBase<Derived, Core>,
                          std::conditional_t<Core::one_state, OneState, SeveralStates>> {
  using Running = RunningLayer<Derived, LinearBase<Derived, Core>,
                               std::conditional_t<Core::one_state, OneState, SeveralStates>>;

 public:
  using Running::Running;
  static constexpr MaskContract contract = linear_contract;

  void build(const Tensor& x, Builder& builder) {
    this->core_.build(x, builder);
    this->recurrence_.set_sizes(this->core_.state_sizes());
  }
};

}  // namespace maskgrad::detail
