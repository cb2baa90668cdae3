#include <maskgrad/autograd/checkpoint.hpp>

#include <algorithm>
#include <string>
#include <unordered_set>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/core/context.hpp>

namespace maskgrad {
namespace {

using detail::CheckpointCall;
using detail::TensorFunction;

constexpr std::string_view checkpoint_op = "checkpoint";

thread_local CheckpointCall call_now = CheckpointCall::none;

/// A call as backward makes it again.
struct Call {
  TensorFunction f;
  std::vector<Tensor> x;
  std::vector<Saved> kept;  ///< of x, to see that none has changed
  detail::NoiseRecord noise;
  std::shared_ptr<const extend::NoiseSamples> samples;
  std::string kind, path;  ///< of the layer that ran; empty: none

  std::vector<Tensor> again() const {
    for (const auto& k : kept) k.get();
    const detail::Recording on(true);
    const detail::CheckpointScope scope(CheckpointCall::again);
    const detail::NoiseReplay replay(noise);
    const extend::NoiseSamplesScope of_samples(samples);
    if (kind.empty()) return f(x);
    const LayerScope layer(kind, path);
    return f(x);
  }
};

/// What a call read from before it: where it came from on the tape.
std::vector<tape::Node::Edge> read_from_before(const std::vector<Tensor>& y, std::uint64_t first) {
  std::vector<tape::Node::Edge> before;
  std::vector<tape::Node*> open;
  std::unordered_set<const tape::Node*> seen;
  const auto visit = [&](const detail::Ref<tape::Node>& node, std::uint32_t slot) {
    if (!node) return;
    if (node->id >= first) {
      if (seen.insert(node.get()).second) open.push_back(node.get());
      return;
    }
    const auto same = [&](const auto& e) { return e.node == node && e.slot == slot; };
    if (std::none_of(before.begin(), before.end(), same)) before.push_back({node, slot});
  };
  for (const auto& t : y) {
    visit(detail::Ref<tape::Node>(static_cast<tape::Node*>(t.node().get())), t.slot());
  }
  while (!open.empty()) {
    const auto* node = open.back();
    open.pop_back();
    for (const auto& edge : node->inputs) visit(edge.node, edge.slot);
  }
  return before;
}

class CheckpointNode final : public tape::Node {
 public:
  explicit CheckpointNode(Call call) : Node(checkpoint_op), call_(std::move(call)) {}
  /// Puts result `i` of the call on the tape.
  Tensor attach(std::size_t i, const Tensor& y) {
    of_.push_back(i);
    return Node::attach(y);
  }
  void run(Grads&) override { run_again(false); }
  void run_recorded() override { run_again(true); }
  void release() override {
    Node::release();
    call_ = {};
  }

 private:
  void run_again(bool recorded) {
    const auto first = tape::next_node();
    const auto y = call_.again();
    std::vector<Tensor> roots, seeds;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (of_[i] >= y.size() || !same_layout(y[of_[i]], slots[i])) refuse();
      if (!slots[i].grad.defined() || !y[of_[i]].on_tape()) continue;
      roots.push_back(y[of_[i]]);
      seeds.push_back(slots[i].grad);
    }
    if (!roots.empty()) tape::run_part(roots, seeds, first, recorded);
  }
  static bool same_layout(const Tensor& y, const tape::Slot& slot) {
    return y.shape() == slot.shape && y.dtype() == slot.dtype && y.mask() == slot.mask;
  }
  [[noreturn]] void refuse() const {
    fail<GradError>(checkpoint_op,
                    "the function gave other results in backward than when it was called; expected "
                    "the same shapes, types and masks. Let nothing in it change from call to call");
  }
  std::vector<std::size_t> of_;
  Call call_;
};

}  // namespace

detail::CheckpointScope::CheckpointScope(CheckpointCall call)
    : before_(std::exchange(call_now, call)) {}
detail::CheckpointScope::~CheckpointScope() {
  call_now = before_;
}

detail::CheckpointCall detail::checkpoint_call() {
  return call_now;
}

std::vector<Tensor> detail::checkpointed(const TensorFunction& f, const std::vector<Tensor>& x) {
  if (!recording()) return f(x);
  Call call{f, x, {}, {}, extend::NoiseSamplesScope::current(), {}, {}};
  for (const auto& t : x) call.kept.emplace_back(t);
  if (const auto* layer = LayerScope::current()) {
    call.kind = layer->kind();
    call.path = layer->path();
  }
  const auto first = tape::next_node();
  std::vector<Tensor> y;
  {
    const detail::CheckpointScope scope(CheckpointCall::first);
    const detail::NoiseRecording recording_noise(call.noise);
    y = f(x);
  }
  const auto before = read_from_before(y, first);
  if (before.empty()) return y;
  const auto node = detail::make_ref<CheckpointNode>(std::move(call));
  node->inputs = before;
  std::vector<Tensor> results;
  for (std::size_t i = 0; i < y.size(); ++i) {
    results.push_back(y[i].on_tape() ? node->attach(i, y[i].value()) : y[i]);
  }
  return results;
}

}  // namespace maskgrad
