#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include <maskgrad/autograd/contract.hpp>
#include <maskgrad/autograd/noise_position.hpp>
#include <maskgrad/layers/layer/spec.hpp>
#include <maskgrad/layers/layer/time_contract.hpp>

// What a layer is, and what it says of masks and of time.
namespace maskgrad {

/// What every layer carries in a member `info`: its name and its place in the model.
struct LayerInfo {
  /// `name` as the options gave it; empty: the kind in snake case, as `gru`.
  LayerInfo(std::string_view kind, std::string name);

  std::string name;
  std::string path;     ///< `encoder/gru_1` once the model is built; before that the name
  bool named = false;   ///< the options gave the name
  bool built = false;   ///< its weights are made
  bool placed = false;  ///< a build gave it its path
  detail::Ref<detail::NoiseState> noise = {};  ///< of its model, which a build sets
};

namespace detail {

template <class L>
concept HasContract = requires {
  { L::contract } -> std::convertible_to<MaskContract>;
};

/// A layer that wraps others answers for them.
template <class L>
concept AnswersForOthers = requires(const L& layer) {
  { layer.contract_now() } -> std::convertible_to<MaskContract>;
  requires !HasContract<L>;
};

}  // namespace detail

/// A layer: a plain class with a kind, a contract, an `info`, and `forward` from one tensor or from
/// several to one or several. It may have `build(x, builder)`, called once with the first input
/// (with all of them where it takes Tensors), `contract_now()` where options change the contract,
/// `time` or `time_now()` (a TimeContract), and `each_parameter(self, f)`. A class without a contract
/// is no layer, and does not compile into a model.
template <class L>
concept Layer = (detail::HasContract<L> || detail::AnswersForOthers<L>)&&requires(L& layer) {
  { L::kind } -> std::convertible_to<std::string_view>;
  { layer.info } -> std::same_as<LayerInfo&>;
}
&&(
    requires(L& layer, const Tensor& x) { layer.forward(x); } ||
    requires(L & layer, const Tensors& xs) { layer.forward(xs); });

/// The contract under the layer's options.
template <Layer L>
MaskContract contract_of(const L& layer) {
  if constexpr (requires { layer.contract_now(); }) {
    return layer.contract_now();
  } else {
    return L::contract;
  }
}

namespace detail {

/// A class's own time contract; what its mask contract says, where it declares none.
template <class L>
TimeContract declared_time(const L& layer, const MaskContract& contract) {
  if constexpr (requires { layer.time_now(); }) {
    return layer.time_now();
  } else if constexpr (requires { TimeContract(L::time); }) {
    return L::time;
  } else {
    return time_by_mask(contract);
  }
}

/// That of the class, whatever its options.
template <class L>
constexpr TimeContract class_time() {
  if constexpr (requires { TimeContract(L::time); }) {
    return L::time;
  } else {
    return time_by_mask(L::contract);
  }
}

}  // namespace detail

/// The time contract under the layer's options.
template <Layer L>
TimeContract time_of(const L& layer) {
  return detail::declared_time(layer, contract_of(layer));
}

namespace detail {

/// Whether a class says, by `std::optional<TimeContract> time_over_context(contexts) const`, what it
/// does along time where its last inputs are a stream's context, there as a whole from the beginning
/// of each sequence; none where they may not be.
template <class L>
concept ReadsContext = requires(const L& layer, std::int64_t contexts) {
  layer.time_over_context(contexts);
};
/// That of a layer whose last `contexts` inputs are context.
template <Layer L>
TimeContract time_over(const L& layer, std::int64_t contexts) {
  if (contexts == 0) return time_of(layer);
  if constexpr (ReadsContext<L>) return layer.time_over_context(contexts).value_or(context_unread);
  return context_unread;
}

}  // namespace detail

}  // namespace maskgrad
