#pragma once

#include <filesystem>
#include <map>
#include <string_view>

#include <maskgrad/layers/model/saved_values.hpp>
#include <maskgrad/optim/train/training_state.hpp>

namespace maskgrad::detail {

/// Whether the difference is one that no training can go on over.
bool refuses(const SettingsDifference& difference, const TrainingState& saved);

/// The arrays of a checkpoint: states that layers carry, and all other values.
struct Parted {
  NamedArrays values;
  std::map<std::string_view, const Array*> carried;
  bool has_best = false;
};
Parted parted(const NamedArrays& arrays);

/// What errors say of its arrays.
PutNames names_for(const std::filesystem::path& from);

}  // namespace maskgrad::detail
