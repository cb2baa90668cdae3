#pragma once

#include <filesystem>
#include <vector>

#include <maskgrad/optim/train/history.hpp>

namespace maskgrad::detail {

/// A file with a line for each epoch: `.csv` with a header, or `.jsonl`, an object a line. It
/// begins anew, as a whole or not at all, with the epochs that a resumed run brings along; then
/// each line is appended, so that `tail -f` follows.
class MetricsFile {
 public:
  /// OptionError for another ending.
  explicit MetricsFile(std::filesystem::path path);

  /// FileError where the system refuses.
  void begin(const std::vector<EpochRecord>& epochs);
  void add(const EpochRecord& record);

 private:
  std::string line(const EpochRecord& record) const;

  std::filesystem::path path_;
  bool csv_;
  bool header_ = false;
};

}  // namespace maskgrad::detail
