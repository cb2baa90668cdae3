#pragma once

#include <functional>
#include <string>
#include <vector>

#include <maskgrad/layers/layer/any_layer.hpp>

namespace maskgrad {

/// What a layer does with a mask, and with steps that are not there yet.
struct MaskSupport {
  std::string_view kind;
  MaskContract contract;
  TimeContract time = {};
  MaskRole role() const { return contract.role; }
  /// What becomes of a mask [batch, time].
  std::string_view after() const;
  /// One line: name, role, reason.
  std::string line() const;
  /// All of it: role and reason, what becomes of the mask, what differs under other masks, the
  /// ways out, how Keras 3 differs.
  std::string str() const;
};

namespace detail {
/// Makes a layer from its options.
using LayerMaker = AnyLayer (*)(extend::OptionReader&);
template <extend::Described L>
AnyLayer make_described(extend::OptionReader& reader) {
  if constexpr (requires { L::from_options(reader); }) {
    return AnyLayer(L::from_options(reader));
  } else {
    return AnyLayer(L(extend::read_options<typename L::Options>(reader)));
  }
}
}  // namespace detail

/// A layer that is known by name: what it does with a mask, and how the factory makes it.
struct RegisteredLayer : MaskSupport {
  detail::LayerMaker make = nullptr;  ///< null where it lists no options
};

namespace detail {
template <Layer L>
requires HasContract<L> RegisteredLayer registered() {
  RegisteredLayer row{{L::kind, L::contract, class_time<L>()}, nullptr};
  if constexpr (extend::Described<L>) row.make = detail::make_described<L>;
  return row;
}
}  // namespace detail

/// The layers that are known by name, the library's own first, in the order of the documentation.
/// Example:  for (const auto& layer : mg::registered_layers()) fmt::print("{}\n", layer.line());
std::vector<RegisteredLayer> registered_layers();
/// Adds a layer of the user's own to the list; OptionError where the kind is there already. Where
/// it lists its options (extend::Described) the factory makes it too.
/// Example:  mg::register_layer("MyLayer",
///                              {.role = mg::MaskRole::propagates, .why = "stays in a row"});
void register_layer(const RegisteredLayer& layer);
inline void register_layer(std::string_view kind, const MaskContract& contract) {
  register_layer(RegisteredLayer{{kind, contract, detail::time_by_mask(contract)}, nullptr});
}
template <Layer L>
requires detail::HasContract<L>
void register_layer() {
  register_layer(detail::registered<L>());
}

/// For a layer type, for a name (OptionError, with the nearest, where it is unknown), and for a
/// layer as its options make it.
/// Example:  mg::mask_support<mg::Conv1D>().str();  // unsupported, why, and what to use instead
template <Layer L>
requires detail::HasContract<L> MaskSupport mask_support() {
  return {L::kind, L::contract, detail::class_time<L>()};
}
MaskSupport mask_support(std::string_view kind);
template <Layer L>
MaskSupport mask_support(const L& layer) {
  return {L::kind, contract_of(layer), time_of(layer)};
}

}  // namespace maskgrad
