#include <maskgrad/layers/keras/save_order.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace maskgrad::detail {
namespace {

/// A walk from the outputs back: nodes behind all that they read, and when each layer was met.
struct KerasWalk {
  std::vector<std::size_t> nodes;
  std::map<std::size_t, std::ptrdiff_t> met;  ///< of a layer
};

KerasWalk walk_back(const std::vector<KerasNode>& nodes, const std::vector<std::size_t>& outputs) {
  KerasWalk walk;
  std::vector<bool> seen(nodes.size(), false);
  std::vector<std::pair<std::size_t, std::size_t>> stack;  // a node, and which parent is next
  const auto enter = [&](std::size_t node) {
    if (seen[node]) return;
    seen[node] = true;
    walk.met.emplace(nodes[node].layer, static_cast<std::ptrdiff_t>(walk.met.size()));
    stack.emplace_back(node, 0);
  };
  for (const auto output : outputs) {
    enter(output);
    while (!stack.empty()) {
      const auto node = stack.back().first;
      const auto next = stack.back().second++;
      if (next < nodes[node].parents.size()) {
        enter(nodes[node].parents[next]);
      } else {
        walk.nodes.push_back(node);
        stack.pop_back();
      }
    }
  }
  return walk;
}

}  // namespace

std::vector<bool> keras_needed(const std::vector<KerasNode>& nodes,
                               const std::vector<std::size_t>& outputs) {
  std::vector<bool> needed(nodes.size(), false);
  for (const auto node : walk_back(nodes, outputs).nodes) needed[node] = true;
  return needed;
}

std::vector<std::size_t> keras_order(const std::vector<KerasNode>& nodes,
                                     const std::vector<std::size_t>& outputs, std::size_t inputs) {
  KerasWalk walk = walk_back(nodes, outputs);
  std::vector<int> depth(nodes.size(), 0);
  std::map<std::size_t, int> deepest;  // of a layer's nodes
  for (auto at = walk.nodes.rbegin(); at != walk.nodes.rend(); ++at) {
    int& of_layer = deepest[nodes[*at].layer];
    of_layer = depth[*at] = std::max(depth[*at], of_layer);
    for (const auto parent : nodes[*at].parents) {
      depth[parent] = std::max(depth[parent], depth[*at] + 1);
    }
  }
  for (std::size_t i = 0; i < inputs; ++i) {
    deepest.emplace(nodes[i].layer, 0);
    walk.met.emplace(nodes[i].layer, -1);
  }
  std::vector<std::size_t> order;
  for (const auto& [layer, at] : deepest) order.push_back(layer);
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return std::pair(-deepest[a], walk.met[a]) < std::pair(-deepest[b], walk.met[b]);
  });
  return order;
}

}  // namespace maskgrad::detail
