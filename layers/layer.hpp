#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

#include <maskgrad/autograd/contract.hpp>
#include <maskgrad/core/context.hpp>
#include <maskgrad/layers/builder.hpp>
#include <maskgrad/layers/spec.hpp>

namespace maskgrad {

/// What every layer carries in a member `info`: its name and its place in the model.
struct LayerInfo {
  /// `name` as the options gave it; empty: the kind in snake case, as `gru`.
  LayerInfo(std::string_view kind, std::string name);

  std::string name;
  std::string path;    ///< `encoder/gru_1` once the model is built; before that the name
  bool named = false;  ///< the options gave the name
  bool built = false;  ///< its weights are made
};

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

/// A layer: a plain class with a kind, a contract, an `info`, and `forward` from one tensor or from
/// several to one or several. It may have `build(x, builder)`, called once with the first input
/// (with all of them where it takes Tensors), `contract_now()` where options change the contract,
/// and `each_parameter(self, f)`. A class without a contract is no layer, and does not compile into
/// a model.
template <class L>
concept Layer = (HasContract<L> || AnswersForOthers<L>)&&requires(L& layer) {
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

/// `GlobalAveragePooling1D` as `global_average_pooling1_d`, as Keras writes it.
std::string snake_case(std::string_view kind);
/// The role of a contract under the mask that `x` carries.
MaskRole role_under(const MaskContract& contract, const Tensor& x);
/// MaskError where the contract refuses the mask of one of the inputs.
void admit(const MaskContract& contract, const Tensors& inputs);
[[noreturn]] void refuse_unbuilt(const Tensor& x);
[[noreturn]] void refuse_inputs(std::size_t count, std::string_view expected = "one");
/// The MaskError of the running layer, which does not accept `what` (a mask).
[[noreturn]] void refuse_mask(std::string_view what, std::string_view why,
                              std::string_view ways_out, const Tensors& inputs);
/// The layer was seen by mask_flow and summary, if one is listening.
void trace(const LayerScope& layer, const MaskContract& contract, bool has_weights,
           const Tensors& inputs, const Tensors& outputs);

inline Tensors as_tensors(Tensor x) {
  return {std::move(x)};
}
inline Tensors as_tensors(Tensors xs) {
  return xs;
}

template <class L>
Tensors forward(L& layer, const Tensors& inputs) {
  if constexpr (requires { layer.forward(inputs); }) {
    return as_tensors(layer.forward(inputs));
  } else {
    if (inputs.size() != 1) refuse_inputs(inputs.size());
    return as_tensors(layer.forward(inputs[0]));
  }
}

/// Makes the layer's weights, if a build is running; else says that there are none.
template <class L>
void build_layer(L& layer, const Tensors& inputs) {
  constexpr bool by_all = requires(Builder & b) {
    layer.build(inputs, b);
  };
  if constexpr (by_all || requires(Builder & b) { layer.build(inputs[0], b); }) {
    auto* builder = Builder::current();
    if (!builder) refuse_unbuilt(inputs[0]);
    builder->undo_later([&layer] {
      layer.info.built = false;
      if constexpr (requires { L::each_parameter(layer, [](auto&&, Parameter&) {}); }) {
        L::each_parameter(layer, [](auto&&, Parameter& p) { p = {}; });
      }
    });
    if constexpr (by_all) {
      layer.build(inputs, *builder);
    } else {
      layer.build(inputs[0], *builder);
    }
  }
  layer.info.built = true;
}

}  // namespace detail

/// Calls a layer: the one way in, for models, containers and by hand. Refuses a mask that the
/// contract does not admit, makes the weights while a model is being built, runs `forward`, and
/// names the layer in every error and in every mask that is made inside.
template <Layer L>
Tensors call(L& layer, const Tensors& inputs) {
  const LayerScope scope(L::kind, layer.info.path);
  if (inputs.empty()) detail::refuse_inputs(0);
  const MaskContract contract = contract_of(layer);
  if constexpr (HasContract<L>) detail::admit(contract, inputs);
  if (!layer.info.built) detail::build_layer(layer, inputs);
  Tensors outputs = detail::forward(layer, inputs);
  if constexpr (HasContract<L>) {
    constexpr bool has_weights = requires {
      L::each_parameter(layer, [](auto&&, Parameter&) {});
    }
    || requires {
      L::each_layer(layer, [](auto&&, auto&) {});
    };
    detail::trace(scope, contract, has_weights, inputs, outputs);
  }
  return outputs;
}

/// The first result of a call with one input.
template <Layer L>
Tensor call(L& layer, const Tensor& x) {
  return call(layer, Tensors{x}).front();
}

}  // namespace maskgrad
