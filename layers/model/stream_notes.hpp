#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <maskgrad/core/io/safetensors.hpp>

namespace maskgrad::detail {

/// What the metadata of a stream's file say, beside its arrays. An array stands under
/// `slot/PLACE/K`, `made/PLACE/K`, `context/K` or `inputs/K`: the rows that are stored; what masks
/// them under the same name and `:steps`, the steps of each sequence, or `:valid`; `begins/PLACE`
/// and `of/PLACE` as in StreamSlot and MadeOfContext.
struct StreamNotes {
  std::int64_t sequences = 0;
  bool batch_invariant = false;
  std::vector<std::string> layers = {};  ///< as layer_lines
  std::string weights = {};              ///< as weights_sum
  std::vector<std::int64_t> steps = {}, context_of = {};
  std::int64_t contexts = 0;
  std::vector<std::string> slots = {};   ///< their places
  std::vector<std::string> rooms = {};   ///< of those, the ones with room behind steps
  std::vector<std::string> made = {};    ///< places of what was made of the context
  std::vector<std::string> single = {};  ///< arrays whose axis of steps has one for all
};

Metadata metadata_of(const StreamNotes& notes);
/// FileError where there are none, or where they are not what was written.
StreamNotes stream_notes_from(const std::filesystem::path& path, const Metadata& metadata);

}  // namespace maskgrad::detail
