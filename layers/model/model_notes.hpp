#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <maskgrad/core/io/safetensors.hpp>
#include <maskgrad/layers/layer/options.hpp>
#include <maskgrad/layers/layer/spec.hpp>

namespace maskgrad::detail {

/// What the metadata of a model's file say, beside its weights.
struct ModelNotes {
  extend::JsonPart model;  ///< as `describe`
  std::vector<Spec> inputs;
  Seed seed;
  std::vector<std::string> frozen;
  /// A weight that a layer has in common with another one before it: its path there, and here.
  std::vector<std::pair<std::string, std::string>> shared;
};

Metadata metadata_of(const ModelNotes& notes);
/// FileError where there are none, or where they are not what was written.
ModelNotes notes_from(const std::filesystem::path& path, const Metadata& metadata);

}  // namespace maskgrad::detail
