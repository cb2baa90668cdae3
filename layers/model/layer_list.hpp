#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <maskgrad/layers/any_layer.hpp>

namespace maskgrad::detail {

/// The names in a list of layers that grows.
class LayerNames {
 public:
  /// Gives the layer a name by its position (`gru`, `gru_1`) where it was given none. OptionError,
  /// from `where`, where the one it was given is taken.
  void add(std::string_view where, AnyLayer& layer);

 private:
  std::set<std::string> taken_;
  std::map<std::string, int> count_;  ///< by kind
};
/// The same for a whole list: names that were given come before those by position.
void name_layers(std::string_view where, std::vector<AnyLayer>& layers);
/// The contract of layers one after the other: under each kind of mask that of the first that
/// makes, ends or refuses it, else of the last that reads it.
MaskContract contract_of_all(const std::vector<AnyLayer>& layers);

}  // namespace maskgrad::detail
