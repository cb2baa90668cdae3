#include <maskgrad/optim/train/reporter.hpp>

#include <fmt/format.h>

#include <utility>

namespace maskgrad::detail {

Reporter::Reporter(const FitSetup& setup)
    : setup_(setup), printer_(setup.options.progress, setup.options.output, setup.options.epochs) {
  if (!setup.options.metrics_file.empty()) metrics_file_.emplace(setup.options.metrics_file);
  if (!setup.options.report.empty()) report_.emplace(setup.options.report);
}

void Reporter::note(std::string text, bool warning) {
  if (setup_.options.ranks.communicator.rank() == 0) printer_.say(text, warning);
  notes_.push_back(std::move(text));
}

void Reporter::warn_that_it_goes_on(const std::string& trouble) {
  if (!trouble.empty()) note(fmt::format("the training goes on, but: {}", trouble), true);
}

void Reporter::begin(const RunState& run) {
  if (metrics_file_) warn_of_metrics(metrics_file_->begin(run.epochs));
  if (!report_) return;
  auto trouble = report_->begin(setup_, run.epoch);
  if (!trouble.empty()) note(std::move(trouble));
}

void Reporter::end_step(const RunHistory& history, std::int64_t batches) {
  if (printer_.due()) printer_.step(history.position(batches), history.training_logs());
}

void Reporter::end_epoch(const EpochRecord& record) {
  if (metrics_file_) warn_of_metrics(metrics_file_->add(record));
  printer_.epoch(record);
}

void Reporter::write_report(const History& history, std::string failure) {
  if (report_) warn_that_it_goes_on(report_->write(history, std::move(failure)));
}

/// Once, however often it fails: no training ends for a file that is beside it.
void Reporter::warn_of_metrics(const std::string& trouble) {
  if (trouble.empty() || std::exchange(metrics_failed_, true)) return;
  warn_that_it_goes_on(trouble);
}

}  // namespace maskgrad::detail
