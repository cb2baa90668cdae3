#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace maskgrad::report {

/// The pixels at which its ends are.
struct Ends {
  double from = 0, to = 0;
};

/// An axis of a chart: where a value stands, and the values that are written beside it.
class Axis {
 public:
  struct Tick {
    double value = 0;
    std::string text;
  };

  /// Of the values from `low` to `high`, and a little more, so that it ends at round numbers.
  /// Logarithmic where it `may_be` and the values differ by a factor of 50 or more.
  static Axis of_values(double low, double high, Ends ends, bool may_be_log);
  /// Of whole numbers from `first` to `last`.
  static Axis of_epochs(std::int64_t first, std::int64_t last, Ends ends);

  double at(double value) const;
  const std::vector<Tick>& ticks() const { return ticks_; }
  bool is_log() const { return log_; }

 private:
  void linear();
  void logarithmic();

  double low_ = 0, high_ = 1;
  Ends ends_;
  bool log_ = false;
  std::vector<Tick> ticks_;
};

}  // namespace maskgrad::report
