#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include <maskgrad/optim/train/history.hpp>

namespace maskgrad {

/// What a training shows while it runs.
enum class Progress {
  automatic,  ///< a bar on a terminal, else lines
  bar,        ///< a line that is drawn over and over, and a line for each epoch
  lines,      ///< a line for each epoch
  off,        ///< nothing; what went wrong goes to stderr
};

namespace detail {

/// Where an epoch stands, as the bar shows it.
struct BarPosition {
  std::int64_t epoch = 0, epochs = 0;  ///< from 1
  std::int64_t batch = 0, batches = 0;
  double rows_per_second = 0, padding_skipped = 0;
  double seconds_left = -1;  ///< to the end of the training; below 0: not known yet
};
/// One line of at most `width` columns: what matters least is left out first.
std::string bar_line(const BarPosition& at, const Logs& logs, int width);
/// The line of an epoch that is done; `width` 0: as long as it is.
std::string epoch_line(const EpochRecord& record, std::int64_t epochs, int width);
/// `850`, `18.2k`, `1.24M`.
std::string short_number(double value);
/// `0:07`, `12:30`, `3:05:00`.
std::string duration(double seconds);

class ProgressPrinter {
 public:
  ProgressPrinter(Progress how, std::FILE* out, std::int64_t epochs);
  ~ProgressPrinter();
  ProgressPrinter(const ProgressPrinter&) = delete;
  ProgressPrinter& operator=(const ProgressPrinter&) = delete;

  /// Whether a bar would be drawn now: ten times a second.
  bool due() const;
  void step(const BarPosition& at, const Logs& logs);
  void epoch(const EpochRecord& record);
  /// A line of its own. A warning is said even where nothing else is.
  void say(std::string_view text, bool warning = false);

 private:
  void clear();
  int width() const;

  Progress how_;
  std::FILE* out_;
  std::int64_t epochs_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace detail
}  // namespace maskgrad
