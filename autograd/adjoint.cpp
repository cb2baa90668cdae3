#include <maskgrad/autograd/adjoint.hpp>

#include <algorithm>

// How the gradient of a gradient comes about. Where a backward records, each node runs as always,
// and what it gives goes on the tape as the result of a node of its own, whose backward runs when
// somebody asks for the second derivative: it has the call tell its gradient as operations, and
// differentiates those. So a first gradient costs the same with and without, and is the same to the
// bit.

namespace maskgrad {
namespace {

bool is_wanted(const tape::Node::Edge& edge) {
  return edge.node && edge.node->wanted && edge.node->id >= tape::first_wanted();
}

tape::Apart apart_of(const tape::Node& node, std::vector<Tensor> outputs, int only = -1) {
  tape::Apart apart{std::move(outputs), {}, {}};
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const auto& edge = node.inputs[i];
    const bool wanted = only < 0 ? is_wanted(edge) : i == static_cast<std::size_t>(only);
    apart.inputs.push_back(wanted ? edge.node->slots[edge.slot].like() : tape::Slot());
    apart.wanted.push_back(wanted);
  }
  return apart;
}

void refuse_released(const tape::Node& node) {
  if (!node.released) return;
  fail<GradError>(
      "backward",
      "the tape behind the gradient of '{}' was let go by a backward since; run that one "
      "with {{.retain = true}}",
      node.op);
}

std::vector<Tensor> gradients_of(const tape::Node& node) {
  std::vector<Tensor> all;
  for (const auto& slot : node.slots) all.push_back(slot.grad);
  return all;
}

std::vector<Tensor> values_of(std::vector<Tensor> tensors) {
  for (auto& t : tensors) t = t.value();
  return tensors;
}

/// What `node`'s backward makes of these gradients.
tape::Apart run_apart(tape::Node& node, std::vector<Tensor> outputs, int only = -1) {
  auto apart = apart_of(node, values_of(std::move(outputs)), only);
  const NoGrad no_grad;
  Grads grads(node, apart);
  node.run(grads);
  return apart;
}

/// The tensor behind an edge, of which `value` is the value.
Tensor tied(const tape::Node::Edge& edge, const Tensor& value) {
  return Tensor(detail::Ref<const detail::Counted>(&value.impl()),
                detail::Ref<detail::Counted>(edge.node.get()), edge.slot);
}

}  // namespace

/// The gradient of a call, as a result on the tape.
class AdjointNode final : public tape::Node {
 public:
  AdjointNode(detail::Ref<tape::ComposedNode> call, const std::vector<Tensor>& outputs)
      : Node(call->op), call_(std::move(call)), outputs_(values_of(outputs)) {
    for (const auto& dy : outputs) inputs.push_back(dy.defined() ? edge_of(dy) : Edge{});
    for (const auto& edge : call_->inputs) inputs.push_back(edge);
    for (std::uint32_t i = 0; i < outputs.size(); ++i) inputs.push_back({call_, i});
  }
  /// The gradient of input `i`.
  Tensor attach(int i, const Tensor& gradient) {
    of_.push_back(i);
    return Node::attach(gradient);
  }

  void run(Grads&) override { give(differentiated(false)); }
  void run_recorded() override { give(differentiated(true)); }
  void release() override {
    Node::release();
    outputs_.clear();
  }

 private:
  static Edge edge_of(const Tensor& x) {
    return {detail::Ref<Node>(static_cast<Node*>(x.node().get())), x.slot()};
  }

  void give(const std::vector<Tensor>& found) {
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (found[i].defined()) hand_on(i, found[i]);
    }
  }

  /// Of each of this node's inputs, where wanted, what comes to it from the gradients of what it
  /// gave.
  std::vector<Tensor> differentiated(bool recorded) {
    refuse_released(*call_);
    std::vector<Tensor> up(call_->inputs.size());
    for (std::size_t k = 0; k < of_.size(); ++k) {
      up[static_cast<std::size_t>(of_[k])] = slots[k].grad;
    }
    std::vector<bool> wanted;
    for (const auto& edge : inputs) wanted.push_back(is_wanted(edge));
    if (!recorded) {
      Second second(up, outputs_, wanted);
      if (call_->differentiate(second)) return second.found_;
    }
    std::vector<bool> of_up;
    for (const auto& u : up) of_up.push_back(u.defined());
    Adjoint told(*this, outputs_, of_up, wanted, recorded);
    {
      const detail::Recording on(true);
      call_->tell(told.output(0), told);
    }
    std::vector<Tensor> roots, seeds, targets;
    std::vector<std::size_t> of_target;
    for (std::size_t i = 0; i < up.size(); ++i) {
      const auto& g = told.gradients_[i];
      if (!up[i].defined() || !g.defined() || !g.on_tape()) continue;
      roots.push_back(g);
      seeds.push_back(up[i]);
    }
    std::vector<Tensor> found(inputs.size());
    for (std::size_t i = 0; i < told.aliases_.size(); ++i) {
      if (!wanted[i] || !told.aliases_[i].defined() || !told.aliases_[i].on_tape()) continue;
      targets.push_back(told.aliases_[i]);
      of_target.push_back(i);
    }
    if (roots.empty() || targets.empty()) return found;
    const auto gradients = tape::gradients(roots, seeds, targets, {.create_graph = recorded});
    for (std::size_t t = 0; t < targets.size(); ++t) found[of_target[t]] = gradients[t];
    return found;
  }

  detail::Ref<tape::ComposedNode> call_;
  std::vector<Tensor> outputs_;
  std::vector<int> of_;  ///< the call's input of each gradient
};

Adjoint::Adjoint(const tape::Node& node, const std::vector<Tensor>& outputs, std::vector<bool> told,
                 std::vector<bool> wanted, bool recorded)
    : node_(node),
      results_(outputs.size()),
      inputs_(told.size()),
      told_(std::move(told)),
      wanted_(std::move(wanted)),
      recorded_(recorded),
      aliases_(node.inputs.size()),
      gradients_(inputs_) {
  const detail::Recording on(true);
  for (std::size_t i = 0; i < results_; ++i) {
    if (outputs[i].defined()) aliases_[i] = alias(i, outputs[i]);
  }
}

/// Whether something is differentiated by an input of the node: what comes to it is asked for, or
/// it is an input of the call by which `through` makes a gradient. What is recorded may be
/// differentiated later by any.
bool Adjoint::differentiated(std::size_t edge) const {
  const bool input = edge >= results_ && edge < results_ + inputs_;
  const bool asked = recorded_ || wanted_[edge] || (input && told_[edge - results_]);
  return node_.inputs[edge].node && asked;
}

tape::Slot Adjoint::layout(int i) const {
  const auto& edge = node_.inputs[results_ + static_cast<std::size_t>(i)];
  return edge.node->slots[edge.slot].like();
}

/// Differentiation ends at an alias, so what lies behind one input is not walked for another.
Tensor Adjoint::alias(std::size_t edge, const Tensor& value) {
  if (!value.defined() || !differentiated(edge)) return value;
  auto& made = aliases_[edge];
  if (!made.defined()) {
    made = recorded_ ? tape::identity(tied(node_.inputs[edge], value)) : value.value().with_grad();
  }
  return made;
}

Tensor Adjoint::input(int i, const Saved& x) {
  return alias(results_ + static_cast<std::size_t>(i), x.get());
}
Tensor Adjoint::result(const Tensor& y, int i) {
  return alias(results_ + inputs_ + static_cast<std::size_t>(i), y);
}

void Adjoint::add(int i, const Tensor& g) {
  auto& sum = gradients_[static_cast<std::size_t>(i)];
  if (!wants(i) || !g.defined()) return;
  if (!sum.defined()) {
    sum = g;
    return;
  }
  tape::Slot slot(sum);
  slot.grad = sum;
  slot.add("backward", g);
  sum = slot.grad;
}

void Adjoint::through(const std::vector<Tensor>& results) {
  std::vector<Tensor> roots, seeds, targets;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i].on_tape() || !aliases_[i].defined()) continue;
    roots.push_back(results[i]);
    seeds.push_back(aliases_[i]);
  }
  std::vector<int> of_target;
  for (std::size_t k = 0; k < inputs_; ++k) {
    const auto& x = aliases_[results_ + k];
    if (!x.on_tape()) continue;
    targets.push_back(x);
    of_target.push_back(static_cast<int>(k));
  }
  if (roots.empty()) return;
  const auto found = tape::gradients(roots, seeds, targets, {.create_graph = true});
  for (std::size_t t = 0; t < targets.size(); ++t) add(of_target[t], found[t]);
}

namespace tape {

Tensor passed(std::string_view op, const Tensor& y, const Tensor& x) {
  return record_symmetric(op, y, x, [](const Tensor& dy) { return dy; });
}
Tensor identity(const Tensor& x) {
  return passed("identity", x.value(), x);
}

void ComposedNode::run_recorded() {
  const auto outputs = gradients_of(*this);
  const auto apart = run_apart(*this, outputs);
  const auto node = detail::make_ref<AdjointNode>(detail::Ref<ComposedNode>(this), outputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& gradient = apart.inputs[i].grad;
    if (gradient.defined()) hand_on(i, node->attach(static_cast<int>(i), gradient));
  }
}

namespace {

/// What a linear call makes of a tensor in the place of one input, or, `back`, of a gradient for
/// that input: each is the other's gradient.
class PartNode final : public Node {
 public:
  PartNode(detail::Ref<LinearNode> call, int input, bool back)
      : Node(call->op), call_(std::move(call)), input_(input), back_(back) {}

  Tensor of(const Tensor& x) const {
    refuse_released(*call_);
    const NoGrad no_grad;
    if (!back_) return call_->image(input_, x.value());
    auto apart = run_apart(*call_, {x}, input_);
    return apart.inputs[static_cast<std::size_t>(input_)].own();
  }
  void run(Grads& grads) override { grads.add(0, turned()->of(grads.output(0))); }
  void run_recorded() override {
    const Tensor g = slots[0].grad;
    const auto back = turned();
    hand_on(0, recorded(back, g, back->of(g)));
  }
  static Tensor recorded(const detail::Ref<PartNode>& node, const Tensor& x, const Tensor& y) {
    if (!x.on_tape()) return y;
    node->connect(x);
    return node->attach(y);
  }

 private:
  detail::Ref<PartNode> turned() const { return detail::make_ref<PartNode>(call_, input_, !back_); }

  detail::Ref<LinearNode> call_;
  int input_;
  bool back_;
};

}  // namespace

void LinearNode::run_recorded() {
  const Tensor dy = slots[0].grad;
  const auto apart = run_apart(*this, {dy});
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& gradient = apart.inputs[i].grad;
    if (!gradient.defined()) continue;
    const auto part =
        detail::make_ref<PartNode>(detail::Ref<LinearNode>(this), static_cast<int>(i), true);
    hand_on(i, PartNode::recorded(part, dy, gradient));
  }
}

}  // namespace tape
}  // namespace maskgrad
