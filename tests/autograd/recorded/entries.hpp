#pragma once

#include <string>
#include <vector>

#include <maskgrad/core/tensor.hpp>

namespace maskgrad::tests {

/// Recorded results of an operation for some inputs.
struct RecordedEntry {
  std::string op, variant, shape;  ///< the last names its shapes: "ordinary", "empty", ...
  std::vector<Tensor> inputs, results;

  std::string title() const { return op + " (" + variant + "), " + shape; }
};

/// What is in data/recorded.safetensors.
const std::vector<RecordedEntry>& recorded_entries();

}  // namespace maskgrad::tests
