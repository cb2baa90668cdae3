#pragma once

#include <string>

#include <maskgrad/layers/model/flow.hpp>
#include <maskgrad/optim/train/history.hpp>

namespace maskgrad::report {

/// What the training was told to do: History::settings as a table.
std::string settings(const History& history);
/// Seeds, and what it was computed with: that of the history, or of this process where it does not
/// say it.
std::string seeds_and_versions(const History& history, const Flow* flow);

}  // namespace maskgrad::report
