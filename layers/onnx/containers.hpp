#pragma once

#include <maskgrad/layers/layer/any_layer.hpp>

namespace maskgrad::onnx {

/// The calls of a Functional, as its options tell them: tensors are pairs of a call and a result.
struct FunctionalGraph {
  struct Call {
    std::int64_t layer;
    std::vector<std::int64_t> inputs;
  };
  std::vector<std::string> inputs;
  std::vector<Call> calls;
  std::vector<std::int64_t> outputs;
};
FunctionalGraph graph_of(const AnyLayer& layer);

}  // namespace maskgrad::onnx
