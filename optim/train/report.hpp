#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <maskgrad/layers/model/flow.hpp>
#include <maskgrad/optim/data/description.hpp>
#include <maskgrad/optim/train/history.hpp>

namespace maskgrad {

/// What a report tells beside the history. What is not given is left out of it.
struct ReportOptions {
  std::string title = "Training";
  std::string when = {};                     ///< as it is to be shown; empty: now
  std::optional<Flow> model = {};            ///< model.mask_flow()
  std::optional<DataDescription> data = {};  ///< batches.describe()
  std::optional<DataDescription> validation = {};
  std::int64_t parameters = 0;  ///< values that are trained; 0: not said
  std::string failure = {};     ///< what ended the training, where an error did
};

/// A page about a training: results, curves, the data's lengths and padding, the model's mask flow,
/// settings, seeds, versions. One text without scripts that needs no network and no other file; the
/// same for the same history and options, but for the time.
/// Example:  mg::report_html(history, {.title = "Words", .model = model.mask_flow()});
std::string report_html(const History& history, const ReportOptions& options = {});

/// The same as a file, which appears as a whole or not at all.
/// Throws:   FileError where the system refuses; an old file is then as it was.
/// Example:  mg::write_report("report.html", history,
///                            {.model = model.mask_flow(), .data = batches.describe()});
void write_report(const std::filesystem::path& path, const History& history,
                  const ReportOptions& options = {});

}  // namespace maskgrad
