#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <maskgrad/optim/train/history.hpp>

namespace maskgrad::detail {

/// A file with a line for each epoch: `.csv` with a header, or `.jsonl`, an object a line. It
/// begins anew, as a whole or not at all, with the epochs that a resumed run brings along; then
/// each line is appended, so that `tail -f` follows. Its folder is made. What cannot be written now
/// is kept, and written with the next line that can be.
class MetricsFile {
 public:
  /// OptionError for another ending.
  explicit MetricsFile(std::filesystem::path path);

  /// What kept it from being written, for a warning; empty where nothing did. Never waits.
  std::string begin(const std::vector<EpochRecord>& epochs);
  std::string add(const EpochRecord& record);

 private:
  std::string line(const EpochRecord& record) const;
  /// Appends what is kept, behind a header where the file is empty; the errno of what failed.
  int append();

  std::filesystem::path path_;
  bool csv_;
  std::string header_;  ///< known with the first record
  std::string kept_;    ///< lines that are not in the file yet
  bool begun_ = false;  ///< what is in the file is of this run
};

}  // namespace maskgrad::detail
