#pragma once

#include <optional>
#include <string_view>

namespace maskgrad {

/// What an operation or a layer does with a mask.
enum class MaskRole {
  produces,    ///< makes one (Masking, Embedding with mask_zero)
  propagates,  ///< stays inside a row: gives the mask on, never looks at it
  supports,    ///< reads it and gives it on
  consumes,    ///< reads it; over the axes it crosses the mask ends
  unsupported  ///< refuses it when the graph is built
};

/// The role as text, as `propagates`.
constexpr std::string_view name(MaskRole role) {
  switch (role) {
    case MaskRole::produces:
      return "produces";
    case MaskRole::propagates:
      return "propagates";
    case MaskRole::supports:
      return "supports";
    case MaskRole::consumes:
      return "consumes";
    case MaskRole::unsupported:
      return "unsupported";
  }
  return "?";
}

/// The contract, as data: what is done with a mask [batch, time], why, and what differs under other
/// masks. `static constexpr MaskContract contract{.role = ..., .why = ...}` in a layer's class.
struct MaskContract {
  MaskRole role;
  std::string_view why;                      ///< one line, lower case, no full stop
  std::optional<MaskRole> sample_role = {};  ///< under a mask [batch]; none: `role`
  std::optional<MaskRole> full_role = {};    ///< under a mask over every axis; none: `role`
  std::string_view ways_out = "";            ///< what to use where it refuses
  std::string_view after = "";  ///< what becomes of the mask, where the role does not say it
  std::string_view keras = "";  ///< how Keras 3 differs, where it does

  constexpr MaskRole under_sample() const { return sample_role.value_or(role); }
  constexpr MaskRole under_full() const { return full_role.value_or(role); }
};

namespace detail {
/// The ways out of what takes a step as a whole, under a mask over single values.
inline constexpr std::string_view mask_whole_steps =
    "a mask over whole steps · x.drop_mask(\"why\", fill) to put a value where a feature is "
    "missing";
}  // namespace detail

}  // namespace maskgrad
