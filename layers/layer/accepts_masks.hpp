#pragma once

#include <initializer_list>
#include <tuple>

#include <maskgrad/layers/layer/layer.hpp>

namespace maskgrad {

namespace detail {
/// Which of layers one after the other is the first that refuses a mask [batch, time]; past the end
/// where none does. Once one consumes it, what may be left is a mask [batch].
constexpr std::size_t first_refusing(std::initializer_list<MaskContract> contracts) {
  bool by_steps = true;
  std::size_t at = 0;
  for (const auto& contract : contracts) {
    const MaskRole role = by_steps ? contract.role : contract.under_sample();
    if (role == MaskRole::unsupported) return at;
    if (role == MaskRole::consumes) by_steps = false;
    ++at;
  }
  return at;
}

struct NoLayer {};
template <class... Ls>
using Refusing =
    std::tuple_element_t<first_refusing({Ls::contract...}), std::tuple<Ls..., NoLayer>>;
/// Of the layer that refuses; the compile error of an assertion shows this name with the layer's.
template <class L>
inline constexpr bool takes_masks_or_mask_support_says_what_else_to_use = std::same_as<L, NoLayer>;
template <class Refuses>
concept TakesMasks = takes_masks_or_mask_support_says_what_else_to_use<Refuses>;
}  // namespace detail

/// Whether layers in this order take a mask [batch, time], by the contracts of their classes: the
/// question that `build` answers, at compile time and without their options. A layer that ends the
/// mask only by an option (GRU without return_sequences) counts as passing it on. Where an
/// assertion fails, the compiler names the layer that refuses.
/// Example:  static_assert(mg::accepts_masks<mg::Masking, mg::GRU, mg::Dense>);
template <class... Ls>
concept accepts_masks =
    (Layer<Ls> && ...) &&
    (detail::HasContract<Ls> && ...) && detail::TakesMasks<detail::Refusing<Ls...>>;

}  // namespace maskgrad
