#include <maskgrad/autograd/adjoint.hpp>

#include <algorithm>
#include <functional>

#include <maskgrad/autograd/anomaly.hpp>
#include <maskgrad/autograd/claim.hpp>

namespace maskgrad::tape {
namespace {

thread_local const Node* running = nullptr;
thread_local std::uint64_t first_wanted_now = 0;

}  // namespace

std::string_view running_op() {
  return running ? std::string_view(running->op) : "an operation";
}

std::uint64_t first_wanted() {
  return first_wanted_now;
}

namespace {

void run_node(Node& node, bool recorded, std::uint64_t first) {
  const bool reached = std::any_of(node.slots.begin(), node.slots.end(),
                                   [](const Slot& s) { return s.grad.defined(); });
  if (!reached) return;
  running = &node;
  if (recorded) {
    node.run_recorded();
  } else {
    Grads grads(node, first);
    node.run(grads);
  }
  if (auto* anomaly = DetectAnomaly::current()) anomaly->ran(node);
  for (auto& slot : node.slots) slot.grad = {};
}

bool reached(const Ref<Node>& node) {
  return node->is_leaf() && node->slots[0].grad.defined();
}

template <class T>
void add_once(std::vector<T>& all, const T& one) {
  if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
}

/// Leaves take what has reached them, all or none: adding may find no memory, handing over cannot
/// fail.
void commit(const std::vector<Ref<Node>>& order, const Run& run) {
  for (const auto& node : order) {
    if (!reached(node)) continue;
    const auto& leaf = static_cast<Leaf&>(*node);
    if (leaf.grad.defined()) node->slots[0].add("backward", leaf.grad);
    if (run.reached && leaf.noise) add_once(*run.reached, leaf.noise);
  }
  for (const auto& node : order) {
    if (!reached(node)) continue;
    auto& leaf = static_cast<Leaf&>(*node);
    leaf.grad = std::exchange(leaf.slots[0].grad, {});
    leaf.count += run.count;
  }
}

}  // namespace

void check_on_tape(const Tensor& root) {
  if (root.on_tape()) return;
  fail<GradError>("backward",
                  "{} is not on the tape: nothing it was made of wants a gradient, or it was made "
                  "under NoGrad or Evaluate",
                  root.describe());
}

namespace {

/// What a run of backward sets in this thread and in nodes, put back at its end, also where it
/// throws. `chosen`: it says of each node whether it is wanted.
class Running {
 public:
  Running(bool recorded, std::uint64_t first, bool chosen, const std::vector<Ref<Node>>& order)
      : order_(order),
        recording_(recorded),
        first_(std::exchange(first_wanted_now, first)),
        node_(running) {
    if (!chosen) return;
    wanted_.reserve(order.size());
    for (const auto& node : order) wanted_.push_back(node->wanted);
  }
  ~Running() {
    first_wanted_now = first_;
    running = node_;
    for (std::size_t i = 0; i < wanted_.size(); ++i) order_[i]->wanted = wanted_[i];
    if (finished_) return;
    for (const auto& node : order_) {
      for (auto& slot : node->slots) slot.grad = {};
    }
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  /// No slot holds a gradient any more.
  void finish() { finished_ = true; }

 private:
  const std::vector<Ref<Node>>& order_;
  detail::Recording recording_;
  std::uint64_t first_;
  const Node* node_;
  std::vector<bool> wanted_;
  bool finished_ = false;
};

void seed(std::span<const Tensor> roots, std::span<const Tensor> seeds) {
  for (std::size_t i = 0; i < roots.size(); ++i) {
    auto* node = static_cast<Node*>(roots[i].node().get());
    node->slots[roots[i].slot()].add("backward", seeds[i]);
  }
}

}  // namespace

void backward(std::span<const Tensor> roots, std::span<const Tensor> seeds, const Run& run) {
  for (const auto& root : roots) check_on_tape(root);
  const Claim claim(roots);
  const auto& order = claim.order();
  Running scope(run.create_graph, 0, false, order);
  seed(roots, seeds);
  for (const auto& node : order) {
    if (node->is_leaf()) continue;
    run_node(*node, run.create_graph, 0);
    if (!run.retain && !run.create_graph) node->release();
  }
  commit(order, run);
  scope.finish();
}

void run_part(std::span<const Tensor> roots, std::span<const Tensor> seeds, std::uint64_t first,
              bool create_graph) {
  const Claim claim(roots, first);
  const auto& order = claim.order();
  Running scope(create_graph, first_wanted_now, false, order);
  seed(roots, seeds);
  for (const auto& node : order) {
    run_node(*node, create_graph, first_wanted_now);
    if (!create_graph) node->release();
  }
  scope.finish();
}

namespace {

/// Where the gradients that are asked for arrive.
class Targets {
 public:
  explicit Targets(std::span<const Tensor> targets) : found_(targets.size()) {
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const auto* node = static_cast<const Node*>(targets[i].node().get());
      places_.push_back({node, targets[i].slot(), i});
      first_ = std::min(first_, node->id);
    }
    std::sort(places_.begin(), places_.end());
  }
  std::uint64_t first() const { return first_; }
  bool has(const Node& node) const {
    const auto at = from(node);
    return at != places_.end() && at->node == &node;
  }
  void take(const Node& node) {
    for (auto at = from(node); at != places_.end() && at->node == &node; ++at) {
      found_[at->target] = node.slots[at->slot].grad;
    }
  }
  std::vector<Tensor> found() && { return std::move(found_); }

 private:
  struct Place {
    const Node* node;
    std::uint32_t slot;
    std::size_t target;
    bool operator<(const Place& other) const { return std::less<const Node*>()(node, other.node); }
  };
  std::vector<Place>::const_iterator from(const Node& node) const {
    return std::lower_bound(places_.begin(), places_.end(), Place{&node, 0, 0});
  }
  std::vector<Place> places_;
  std::vector<Tensor> found_;
  std::uint64_t first_ = ~std::uint64_t{0};
};

bool leads_to_target(const Node& node, std::uint64_t first) {
  return std::any_of(node.inputs.begin(), node.inputs.end(), [=](const Node::Edge& e) {
    return e.node && e.node->id >= first && e.node->wanted;
  });
}

}  // namespace

std::vector<Tensor> gradients(std::span<const Tensor> roots, std::span<const Tensor> seeds,
                              std::span<const Tensor> targets, const Run& run) {
  Targets wanted(targets);
  const auto first = wanted.first();
  const Claim claim(roots, first);
  const auto& order = claim.order();
  const Running scope(run.create_graph, first, true, order);
  for (auto node = order.rbegin(); node != order.rend(); ++node) {
    (*node)->wanted = wanted.has(**node) || leads_to_target(**node, first);
  }
  seed(roots, seeds);
  for (const auto& node : order) {
    if (!node->wanted) continue;
    wanted.take(*node);
    if (node->is_leaf() || !leads_to_target(*node, first)) continue;
    run_node(*node, run.create_graph, first);
    if (!run.retain && !run.create_graph) node->release();
  }
  return std::move(wanted).found();
}

}  // namespace maskgrad::tape
