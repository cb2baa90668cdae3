#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <maskgrad/core/io/safetensors.hpp>

namespace maskgrad {

struct CheckpointOptions {
  std::filesystem::path folder = {};  ///< made where it is not there; empty: no checkpoints
  std::int64_t every_epochs = 1;      ///< 0: not at the end of epochs (the last one is saved)
  std::int64_t every_steps = 0;       ///< and after each so many steps; 0: not
  std::int64_t keep = 3;              ///< the last ones that are kept
  /// Goes on from the newest that can be read. Without it a folder that has some is refused.
  bool resume = true;
  bool stop_on_failure = false;  ///< one that cannot be saved ends the run; else it goes on
};

/// A folder of checkpoints: one safetensors file a step, `checkpoint-000001234.safetensors`.
class CheckpointFolder {
 public:
  /// Throws:   OptionError for options out of range.
  explicit CheckpointFolder(const CheckpointOptions& options);

  /// Writes one aside, syncs and renames it; then removes the oldest beyond `keep` of those that
  /// were good, and never another file. FileError where the system refuses; older ones are as they
  /// were.
  std::filesystem::path write(std::int64_t step, const NamedArrays& arrays,
                              const std::string& state);

  struct Found {
    std::filesystem::path path;
    NamedArrays arrays;
    std::string state;
  };
  /// The newest that can be read and is as it was written by its checksum, and of which `accept`
  /// throws no FileError; what is wrong with newer ones goes to `notes`. Nothing where the folder
  /// has none. FileError where it has some and none can be used.
  std::optional<Found> newest(const std::function<void(const Found&)>& accept,
                              std::vector<std::string>& notes);
  /// FileError where the folder has checkpoints already.
  void refuse_used() const;

 private:
  /// (step, path) of every file that is named like a checkpoint, by step.
  std::vector<std::pair<std::int64_t, std::filesystem::path>> list() const;
  void prune(std::int64_t newest_step);

  CheckpointOptions options_;
  std::vector<std::filesystem::path> bad_;
};

}  // namespace maskgrad
