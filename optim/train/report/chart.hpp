#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace maskgrad::report {

struct Line {
  std::string name;
  bool validation = false;  ///< which of the two colors
  std::vector<double> values;
};

/// Curves over epochs. Values that are not finite are gaps.
struct Chart {
  std::string title;
  std::vector<std::int64_t> epochs;  ///< of the values, growing
  std::vector<Line> lines;
  std::optional<std::int64_t> best;  ///< the epoch that is marked
  std::int64_t resumed_after = 0;    ///< the epoch after which the run went on; 0: none
  bool may_be_log = false;
};

/// A figure with a caption: axes, ticks, a legend, the best epoch, and the values of an epoch where
/// the pointer is over it.
std::string draw(const Chart& chart);

}  // namespace maskgrad::report
