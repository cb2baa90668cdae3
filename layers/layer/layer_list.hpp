#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <maskgrad/layers/layer/any_layer.hpp>

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
/// Whether a container is made of these, one after the other, and not of another container, a list
/// or a name.
template <class Container, class... Ls>
inline constexpr bool AreListed = sizeof...(Ls) > 0 &&
                                  !(sizeof...(Ls) == 1 && (std::same_as<Ls, Container> && ...)) &&
                                  !(std::convertible_to<Ls, std::vector<AnyLayer>> || ...);
template <class L>
struct LackOf {
  using Is = Lack<L>;
};
/// What the first of them lacks that is no layer; void where all are.
template <class... Ls>
struct FirstLack {
  using Is = void;
};
template <class L, class... Others>
struct FirstLack<L, Others...> {
  using Is = typename std::conditional_t<std::same_as<L, AnyLayer> || Layer<L>,
                                         FirstLack<Others...>, LackOf<L>>::Is;
};
template <class... Ls>
std::vector<AnyLayer> list_of(Ls... layers) {
  std::vector<AnyLayer> all;
  all.reserve(sizeof...(Ls));
  const auto add = [&all]<class L>(L& layer) { all.emplace_back(std::move(layer)); };
  (add(layers), ...);
  return all;
}

/// Layer `i`. IndexError that lists what is there where there is none.
AnyLayer& layer_at(std::string_view where, std::vector<AnyLayer>& layers, std::int64_t i);
/// The layer of that name. IndexError that lists what is there where there is none.
AnyLayer& layer_named(std::string_view where, std::vector<AnyLayer>& layers, std::string_view name);
/// TypeError for a kind of which there is not one layer, but `count`.
[[noreturn]] void refuse_kind(std::string_view where, std::vector<AnyLayer>& layers,
                              std::string_view kind, std::int64_t count);
/// The only layer of that type. TypeError that lists what is there.
template <Layer L>
L& layer_of(std::string_view where, std::vector<AnyLayer>& layers) {
  L* found = nullptr;
  std::int64_t count = 0;
  for (auto& layer : layers) {
    if (L* one = layer.as_if<L>()) {
      found = one;
      ++count;
    }
  }
  if (count != 1) refuse_kind(where, layers, L::kind, count);
  return *found;
}

/// The contract of layers one after the other: under each kind of mask that of the first that
/// makes, ends or refuses it, else of the last that reads it.
MaskContract contract_of_all(const std::vector<AnyLayer>& layers);
/// Of a layer that reads what is under `first`.
TimeContract then(const TimeContract& first, const AnyLayer& layer, std::int64_t contexts = 0);
/// Of layers one after the other.
TimeContract time_of_all(const std::vector<AnyLayer>& layers);

}  // namespace maskgrad::detail
