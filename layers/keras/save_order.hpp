#pragma once

#include <cstddef>
#include <vector>

namespace maskgrad::detail {

/// A call of a layer, or an input, in a graph that is to be written.
struct KerasNode {
  std::size_t layer = 0;
  std::vector<std::size_t> parents = {};  ///< the nodes whose results it reads, in order
};

/// The layers in the order in which Keras lists those of a functional model, by which it counts
/// the groups of their weights: those farthest from the outputs first, and of the same distance
/// those that a walk from the outputs meets first. Layers that no output needs are left out, but
/// for the first `inputs` nodes.
/// Source:   Keras 3.10, keras/src/ops/function.py, map_graph.
std::vector<std::size_t> keras_order(const std::vector<KerasNode>& nodes,
                                     const std::vector<std::size_t>& outputs, std::size_t inputs);

/// Whether an output needs the node.
std::vector<bool> keras_needed(const std::vector<KerasNode>& nodes,
                               const std::vector<std::size_t>& outputs);

}  // namespace maskgrad::detail
