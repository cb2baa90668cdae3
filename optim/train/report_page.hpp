#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include <maskgrad/optim/train/fit_setup.hpp>
#include <maskgrad/optim/train/report.hpp>

namespace maskgrad::detail {

/// The report of a run, which is written again now and then while it runs. What cannot be done is
/// handed back as a text, for a note: no training ends for a page that is beside it.
class ReportPage {
 public:
  explicit ReportPage(std::filesystem::path path) : path_(std::move(path)) {}

  /// Gathers what the page tells beside the history; `epoch`: the one that comes, from 0.
  std::string begin(const FitSetup& setup, std::int64_t epoch);
  /// Whether it may be written again: so that writing takes at most a fiftieth of the time.
  bool due() const;
  /// `failure`: the error that ended the run. The trouble of the first time that it cannot be
  /// written; the next ones fail as this one did.
  std::string write(const History& history, std::string failure);

 private:
  std::filesystem::path path_;
  ReportOptions options_;
  std::chrono::steady_clock::time_point written_{};
  double seconds_ = 0;  ///< that writing took
  bool failed_ = false;
};

}  // namespace maskgrad::detail
