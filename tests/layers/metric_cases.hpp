#pragma once

#include <string>
#include <vector>

#include <maskgrad/layers/metrics/metrics.hpp>

#include "autograd/op_cases.hpp"

namespace maskgrad::tests {

/// A metric with options that change what it counts.
struct MetricCase {
  std::string name, options;  // of make_metric
  CaseInput target, prediction;
  bool over_features = true;  // false: a mask over features is refused
  bool whole = false;         // a sequence is one position: each runs by its own mask

  std::string title() const { return name + " " + options; }
};

/// Rows for each metric. One without a row fails the suite.
std::vector<MetricCase> metric_cases();

}  // namespace maskgrad::tests
