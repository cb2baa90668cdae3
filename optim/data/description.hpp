#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <maskgrad/optim/data/batches.hpp>

namespace maskgrad {

/// How long the sequences of a data set are, and what padding its batches would have carried.
struct DataDescription {
  std::int64_t sequences = 0, steps = 0;
  std::int64_t shortest = 0, longest = 0;
  double mean = 0, median = 0;

  struct Bar {
    std::int64_t from = 0, to = 0;  ///< lengths, both included
    std::int64_t sequences = 0;
  };
  std::vector<Bar> histogram;  ///< at most 10 bars of the same width

  std::int64_t batches = 0;    ///< of an epoch; 0 where only the data were asked
  std::int64_t positions = 0;  ///< of its padded batches: rows times the longest
  std::int64_t valid = 0;      ///< steps in them
  /// The share of these positions that is padding: none of it is stored or computed here.
  double padding() const {
    return positions == 0 ? 0 : 1 - static_cast<double>(valid) / static_cast<double>(positions);
  }

  /// All of it in a few lines.
  std::string str() const;
};

}  // namespace maskgrad
