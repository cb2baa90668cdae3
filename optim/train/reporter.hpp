#pragma once

#include <optional>
#include <string>
#include <vector>

#include <maskgrad/optim/train/metrics_file.hpp>
#include <maskgrad/optim/train/report_page.hpp>
#include <maskgrad/optim/train/run_history.hpp>

namespace maskgrad::detail {

/// What a run shows while it goes: progress, notes, the metrics file, the report.
class Reporter {
 public:
  /// Throws:   OptionError for a metrics file of another ending.
  explicit Reporter(const FitSetup& setup);

  /// Says a line beside the progress, and keeps it for the history.
  void note(std::string text, bool warning = false);
  /// The same for what could not be written. Nothing where the text is empty.
  void warn_that_it_goes_on(const std::string& trouble);
  const std::vector<std::string>& notes() const { return notes_; }

  /// `run`: where it begins, at the start or where a checkpoint was.
  void begin(const RunState& run);
  /// `batches`: of the epoch.
  void end_step(const RunHistory& history, std::int64_t batches);
  void end_epoch(const EpochRecord& record);
  /// Whether a report is asked for, and its time has come.
  bool report_is_due() const { return report_ && report_->due(); }
  /// Writes the report, where one is asked for.
  void write_report(const History& history, std::string failure = {});

 private:
  void warn_of_metrics(const std::string& trouble);

  const FitSetup& setup_;
  ProgressPrinter printer_;
  std::vector<std::string> notes_;
  std::optional<MetricsFile> metrics_file_;
  bool metrics_failed_ = false;  ///< the file could not be written, which was said
  std::optional<ReportPage> report_;
};

}  // namespace maskgrad::detail
