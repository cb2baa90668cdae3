#pragma once

#include <string>
#include <vector>

#include <maskgrad/autograd/callable.hpp>

namespace maskgrad::tests {

/// A call whose results are recorded in data/recorded.safetensors, under the same names, for some
/// inputs; see make_recorded_results.py.
struct RecordedCall {
  std::string op;
  std::string variant;
  Callable f;
};

// One function for each file of calls_*.cpp.
std::vector<RecordedCall> elementwise_calls();
std::vector<RecordedCall> reduction_calls();
std::vector<RecordedCall> shape_calls();
std::vector<RecordedCall> sequence_calls();

}  // namespace maskgrad::tests
