#pragma once

#include <functional>
#include <string>
#include <vector>

#include <maskgrad/layers/layer.hpp>

namespace maskgrad {

/// What a layer does with a mask.
struct MaskSupport {
  std::string_view kind;
  MaskContract contract;
  MaskRole role() const { return contract.role; }
  /// One line: name, role, reason.
  std::string line() const;
  /// All of it: role and reason, what differs under other masks, the ways out.
  std::string str() const;
};

/// The layers that are known by name, the library's own first, in the order of the documentation.
const std::vector<MaskSupport>& registered_layers();
/// Adds a layer of the user's own to the list; OptionError where the kind is there already.
void register_layer(std::string_view kind, const MaskContract& contract);
template <Layer L>
requires HasContract<L>
void register_layer() {
  register_layer(L::kind, L::contract);
}

/// For a layer type, for a name (OptionError, with the nearest, where it is unknown), and for a
/// layer as its options make it.
template <Layer L>
requires HasContract<L> MaskSupport mask_support() {
  return {L::kind, L::contract};
}
MaskSupport mask_support(std::string_view kind);
template <Layer L>
MaskSupport mask_support(const L& layer) {
  return {L::kind, contract_of(layer)};
}

}  // namespace maskgrad
