#pragma once

#include <memory>
#include <string>
#include <vector>

#include <maskgrad/optim/data/columns.hpp>
#include <maskgrad/optim/data/read.hpp>

namespace maskgrad::data {

/// Where the steps of each sequence stand in an array of a file.
struct StepRuns {
  Runs runs;
  std::int64_t time = -1;  ///< of a padded array; -1 where sequences stand one after the other
};

/// An array of a file, for the functions below and their messages.
struct ArrayFacts {
  const std::string& file;
  const std::string& name;
  const std::vector<std::int64_t>& shape;
  StepLayout layout = StepLayout::automatic;
};

/// By the lengths that the array `lengths_name` holds. FileError where they do not fit the array,
/// or fit it in both layouts and none was chosen.
StepRuns runs_by_lengths(const ArrayFacts& array, const std::string& lengths_name,
                         std::vector<std::int64_t> lengths);

/// Without lengths and mask: one sequence, or all that is there. `others`: the file's arrays.
/// FileError where neither was chosen and more than that could be meant.
StepRuns runs_without_lengths(const ArrayFacts& array, const std::vector<std::string>& others);

}  // namespace maskgrad::data
