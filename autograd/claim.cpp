#include <maskgrad/autograd/claim.hpp>

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <new>
#include <utility>

namespace maskgrad::tape {
namespace {

struct Shared {
  std::mutex mutex;
  std::condition_variable freed;
  std::uint64_t tickets = 0;
  std::uint64_t visits = 0;
  std::uint64_t gone = 0;  ///< tickets up to here were of threads that a fork left behind
};

Shared& shared();

Shared* make_shared() {
  auto* all = new Shared;
  pthread_atfork([] { shared().mutex.lock(); }, [] { shared().mutex.unlock(); },
                 [] {
                   auto& own = shared();
                   new (&own.mutex) std::mutex;
                   new (&own.freed) std::condition_variable;
                   own.gone = own.tickets;
                 });
  return all;
}

/// Never ends: threads may run backward while the process exits.
Shared& shared() {
  static auto& all = *make_shared();
  return all;
}

thread_local Claim* innermost = nullptr;

}  // namespace

Claim::Claim(std::span<const Tensor> roots, std::uint64_t first)
    : outer_(innermost), first_(first) {
  auto& all = shared();
  std::unique_lock lock(all.mutex);
  while (!reach(roots)) all.freed.wait(lock);
  ticket_ = ++all.tickets;
  for (const auto& node : order_) {
    if (!held_here(*node)) node->holder = ticket_;
  }
  innermost = this;
}

Claim::~Claim() {
  {
    std::lock_guard lock(shared().mutex);
    for (const auto& node : order_) {
      if (node->holder == ticket_) node->holder = 0;
    }
  }
  shared().freed.notify_all();
  innermost = outer_;
}

bool Claim::held_here(const Node& node) const {
  for (const auto* claim = innermost; claim; claim = claim->outer_) {
    if (node.holder == claim->ticket_) return true;
  }
  return false;
}

bool Claim::held_elsewhere(const Node& node) const {
  return node.holder > shared().gone && !held_here(node);
}

/// False for a node that another thread holds: it must not be looked into.
bool Claim::take(Node* node, std::uint64_t visit, std::string_view by) {
  if (!node) return true;
  refuse_read_gradient(node, by);
  if (node->id < first_) return true;
  if (held_elsewhere(*node)) return false;
  if (node->visit == visit) return true;
  if (node->released) {
    fail<GradError>("backward",
                    "the tape behind '{}' was already used and let go by an earlier "
                    "backward; compute the loss again for each backward",
                    node->op);
  }
  node->visit = visit;
  order_.emplace_back(node);
  return true;
}

/// Gathers every node behind the roots; false where another thread holds one.
bool Claim::reach(std::span<const Tensor> roots) {
  const auto visit = ++shared().visits;
  order_.clear();
  for (const auto& root : roots) {
    if (!take(static_cast<Node*>(root.node().get()), visit, "")) return false;
  }
  for (std::size_t i = 0; i < order_.size(); ++i) {
    Node* node = order_[i].get();  // `order_` moves as it grows, the node does not
    for (const auto& edge : node->inputs) {
      if (!take(edge.node.get(), visit, node->op)) return false;
    }
  }
  std::sort(order_.begin(), order_.end(),
            [](const auto& a, const auto& b) { return a->id > b->id; });
  return true;
}

}  // namespace maskgrad::tape
