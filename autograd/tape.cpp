#include <maskgrad/autograd/record.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <new>

#include <maskgrad/autograd/anomaly.hpp>
#include <maskgrad/autograd/claim.hpp>
#include <maskgrad/core/kernels/add_to.hpp>

namespace maskgrad {
namespace tape {
namespace {
std::atomic<std::uint64_t> next_id{1};

/// Stands behind a gradient that was read, and behind all that is made of such alone. A backward
/// that comes to it stops: what lies behind, the backward that gave the gradient, is not on the
/// tape, so the loss would lack a part of its gradient without a word.
class ReadGradient final : public Node {
 public:
  ReadGradient() : Node("grad") { retain(); }
  void run(Grads&) override {}
};

Node* read_gradient() {
  alignas(ReadGradient) static unsigned char place[sizeof(ReadGradient)];
  static Node* const node = ::new (place) ReadGradient;  // never ends: tensors may live as long
  return node;
}
}  // namespace

void refuse_read_gradient(const Node* node, std::string_view by) {
  if (node != read_gradient()) return;
  fail<GradError>(
      "backward",
      "{} made of a gradient that grad() gave, and such a gradient is a constant: this "
      "loss would train by a part of its gradient alone. For a gradient that can be "
      "differentiated use gradients(y, {{x}}, {{.create_graph = true}}). Where a constant "
      "is meant, give stop_gradient(x.grad()), or compute it under NoGrad",
      by.empty() ? std::string("the loss is") : fmt::format("'{}' takes what is", by));
}

Tensor as_read(const Tensor& gradient) {
  if (!gradient.defined() || gradient.on_tape()) return gradient;
  return Tensor(Ref<const Counted>(&gradient.impl()), Ref<Counted>(read_gradient()), 0);
}

Slot::Slot(const Tensor& output)
    : shape(output.shape()), dtype(output.dtype()), mask(output.mask()) {}

namespace {

/// a + b on the tape.
Tensor recorded_sum(const Tensor& a, const Tensor& b) {
  const Tensor y = rows::make(a.shape(), a.dtype(), a.mask());
  extend::dispatch_real("backward", a.dtype(), [&]<class T>() {
    std::copy_n(rows::of<T>(a).data(), rows::total(a), rows::of_mutable<T>(y).data());
    kernels::add_to(rows::of<T>(b), rows::of_mutable<T>(y));
  });
  return record_linear(
      "add", y, {a, b}, [](int, const Tensor& g) { return g; },
      [](const Tensor& dy, Grads& grads) {
        grads.add(0, dy);
        grads.add(1, dy);
      });
}

}  // namespace

Slot Slot::like() const {
  Slot other = *this;
  other.grad = {};
  return other;
}

void Slot::add(std::string_view op, const Tensor& g) {
  if (g.dtype() != dtype || g.shape() != shape || !(g.mask().same(mask) || g.mask() == mask)) {
    fail<GradError>(op, "its backward gave a gradient {}; expected {}{} with the input's mask",
                    g.describe(), maskgrad::name(dtype), shape);
  }
  if (!grad.defined()) {
    grad = g.on_tape() && recording() ? g : g.value();
    return;
  }
  if ((grad.on_tape() || g.on_tape()) && recording()) {
    grad = recorded_sum(grad, g);
    return;
  }
  extend::dispatch_real(
      op, dtype, [&]<class T>() { kernels::add_to(rows::of<T>(g), rows::of_mutable<T>(own())); });
}

const Tensor& Slot::own() {
  if (!grad.defined()) {
    grad = rows::make_zeros(shape, dtype, mask);
  } else if (!grad.impl().storage.unique() || grad.impl().handles() != 1) {
    Tensor copy = rows::make(shape, dtype, mask);
    std::copy_n(grad.impl().storage.data(), grad.impl().storage.bytes(),
                copy.impl().storage.data());
    grad = copy;
  }
  return grad;
}

const Tensor& Slot::own(bool& fresh) {
  fresh = !grad.defined();
  if (fresh) grad = rows::make(shape, dtype, mask);
  return own();
}

std::uint64_t next_node() {
  return next_id.load(std::memory_order_relaxed);
}

Node::Node(std::string_view op_) : op(op_), id(next_id.fetch_add(1, std::memory_order_relaxed)) {}

void Node::run_recorded() {
  fail<GradError>(
      "backward",
      "'{}' cannot be differentiated twice: its backward is not told as operations. Let "
      "the function that it gives to record take `auto& grads` and tell its gradient "
      "where is_adjoint<decltype(grads)>, or ask for no graph of the gradient",
      op);
}

void Node::release() {
  released = true;
  inputs.clear();
}

void Node::end() const {
  // A chain of a million steps would overflow the stack if each node ended inside the one before.
  // Plain variables serve tensors in static variables too, which end after the thread's own.
  thread_local const Node* ending = nullptr;
  thread_local bool busy = false;
  next_ending = std::exchange(ending, this);
  if (busy) return;
  busy = true;
  while (const auto* node = ending) {
    ending = node->next_ending;
    delete node;
  }
  busy = false;
}

void Node::connect(const Tensor& input) {
  inputs.push_back({Ref<Node>(static_cast<Node*>(input.node().get())), input.slot()});
}

Tensor Node::attach(const Tensor& output) {
  const auto is_read = [](const Edge& e) { return e.node.get() == read_gradient(); };
  const auto is_constant = [&](const Edge& e) { return !e.node || is_read(e); };
  if (std::any_of(inputs.begin(), inputs.end(), is_read) &&
      std::all_of(inputs.begin(), inputs.end(), is_constant)) {
    return as_read(output);  // nothing to record
  }
  slots.emplace_back(output);
  if (auto* anomaly = DetectAnomaly::current()) anomaly->made(*this, output);
  return Tensor(Ref<const Counted>(&output.impl()), Ref<Counted>(this),
                static_cast<std::uint32_t>(slots.size() - 1));
}

Leaf::Leaf(std::string name_, const Tensor& value) : Node("leaf"), name(std::move(name_)) {
  slots.emplace_back(value);
}

bool any_on_tape(Inputs inputs) {
  if (!recording()) return false;
  return std::any_of(inputs.begin(), inputs.end(), [](const Tensor& x) { return x.on_tape(); });
}
bool any_on_tape(const std::vector<Tensor>& inputs) {
  if (!recording()) return false;
  return std::any_of(inputs.begin(), inputs.end(), [](const Tensor& x) { return x.on_tape(); });
}

}  // namespace tape

void Grads::add(int i, const Tensor& g) {
  if (wants(i)) slot(i).add(node_.op, g);
}

Saved::Saved(const Tensor& x)
    : value_(x.value()), version_(x.defined() ? x.impl().storage.version() : 0) {
  if (x.on_tape() && static_cast<tape::Node*>(x.node().get())->is_leaf()) leaf_ = x.node();
}

const Tensor& Saved::get() const {
  if (value_.defined() && value_.impl().storage.version() != version_) {
    const auto* leaf = static_cast<const tape::Leaf*>(leaf_.get());
    fail<GradError>(
        "backward",
        "{} needs {} '{}' as it was in the forward pass, but it was changed since (by "
        "set or an optimizer); run backward before the change, or the forward pass again",
        tape::running_op(), value_.describe(), leaf ? leaf->name : "a state");
  }
  return value_;
}

Tensor Tensor::with_grad() const {
  if (!is_real(dtype()) || is_meta()) {
    fail<TypeError>("with_grad", "{} can have no gradient; expected f32 or f64 data", describe());
  }
  return Tensor(impl_, detail::Ref<detail::Counted>(new tape::Leaf("an input", *this)), 0);
}

namespace {
tape::Leaf& leaf_of(std::string_view where, const Tensor& x) {
  auto* node = static_cast<tape::Node*>(x.node().get());
  if (!node || !node->is_leaf()) {
    fail<GradError>(where,
                    "{} is no leaf of the tape; gradients are kept for parameters and for "
                    "what with_grad() returned",
                    x.describe());
  }
  return static_cast<tape::Leaf&>(*node);
}
}  // namespace

Tensor Tensor::grad() const {
  return tape::as_read(leaf_of("grad", *this).grad);
}
void Tensor::clear_grad() const {
  leaf_of("clear_grad", *this).grad = {};
}

void Tensor::backward(const BackwardOptions& options) const {
  if (shape().count() != 1) {
    fail<GradError>("backward",
                    "the tensor is {}; expected a scalar. Use mean(x) or sum(x), or a "
                    "loss",
                    describe());
  }
  tape::check_on_tape(*this);
  const Tensor root = *this, seed = ones_like(*this);
  tape::backward({&root, 1}, {&seed, 1},
                 {.retain = options.retain, .create_graph = options.create_graph});
}

}  // namespace maskgrad
