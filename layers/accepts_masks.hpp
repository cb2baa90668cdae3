#pragma once

#include <initializer_list>

#include <maskgrad/layers/layer.hpp>

namespace maskgrad {

namespace detail {
/// Whether layers one after the other take a mask [batch, time]; once one consumes it, what may be
/// left is a mask [batch].
constexpr bool pass_a_mask(std::initializer_list<MaskContract> contracts) {
  bool by_steps = true;
  for (const auto& contract : contracts) {
    const MaskRole role = by_steps ? contract.role : contract.under_sample();
    if (role == MaskRole::unsupported) return false;
    if (role == MaskRole::consumes) by_steps = false;
  }
  return true;
}
}  // namespace detail

/// Whether layers in this order take a mask [batch, time], by the contracts of their classes: the
/// question that `build` answers, at compile time and without their options. A layer that ends the
/// mask only by an option (GRU without return_sequences) counts as passing it on.
/// Example:  static_assert(mg::accepts_masks<mg::Masking, mg::GRU, mg::Dense>);
template <Layer... Ls>
requires(HasContract<Ls>&&...) inline constexpr bool accepts_masks =
    detail::pass_a_mask({Ls::contract...});

}  // namespace maskgrad
