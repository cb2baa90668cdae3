#pragma once

#include <string>
#include <vector>

#include <maskgrad/maskgrad.hpp>

namespace maskgrad::tests {

/// A model that is written, and the inputs that it takes.
struct OnnxCase {
  std::string title;
  AnyLayer model;
  std::vector<Spec> specs;
  bool padding_is_last = false;
};

/// Every row of the layers' table, and models of several of them.
std::vector<OnnxCase> onnx_cases();

}  // namespace maskgrad::tests
