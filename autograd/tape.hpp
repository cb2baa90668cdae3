#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/noise_position.hpp>
#include <maskgrad/core/rows.hpp>

namespace maskgrad {

class Grads;

namespace tape {

/// One output of a node: what its gradient must look like, and the sum that has reached it so far.
struct Slot {
  Shape shape;
  DType dtype = DType::f32;
  Mask mask;
  Tensor grad;

  explicit Slot(const Tensor& output);
  /// Adds `g`; its layout must be the output's.
  void add(std::string_view op, const Tensor& g);
  /// The sum as an array of its own to add into, made of zeros at the first call.
  const Tensor& own();
  /// The same without the zeros: `fresh` where nothing has reached it, so that all is to be
  /// written.
  const Tensor& own(bool& fresh);
};

/// A recorded call. Edges point from a result to what it was made of, never back.
class Node : public Counted {
 public:
  struct Edge {
    Ref<Node> node;  // null where the input wants no gradient
    std::uint32_t slot = 0;
  };

  explicit Node(std::string_view op_);
  virtual void run(Grads& grads) = 0;
  /// Lets go of all that backward needed.
  virtual void release();
  virtual bool is_leaf() const { return false; }
  void end() const override;
  void connect(const Tensor& input);
  Tensor attach(const Tensor& output);

  std::string op;
  std::uint64_t id;          // rises along the tape, so sorting by it is a topological order
  std::uint64_t visit = 0;   // the last backward that reached it
  std::uint64_t holder = 0;  // the backward that runs over it now, in one of the threads
  mutable const Node* next_ending = nullptr;  // the next of a chain that ends
  bool released = false;
  std::vector<Edge> inputs;
  std::vector<Slot> slots;
};

/// The end of the tape: a parameter or an input whose gradient is wanted.
class Leaf final : public Node {
 public:
  Leaf(std::string name, const Tensor& value);
  void run(Grads&) override {}
  void release() override {}
  bool is_leaf() const override { return true; }

  std::string name;
  Tensor grad;
  double count = 0;  ///< what the gradient is of: 0 where no position was valid
  Ref<maskgrad::detail::NoiseState> noise;  ///< of the model whose parameter it is; null: of none
};

struct Run {
  bool retain = false;  ///< the tape can be used again
  double count = 1;     ///< positions that the seeds are a mean over; leaves add it up
  /// Gets the noise of the models whose parameters were reached, each once.
  std::vector<Ref<maskgrad::detail::NoiseState>>* reached = nullptr;
};
/// GradError for a tensor that no backward can start from.
void check_on_tape(const Tensor& root);
/// Runs backward from several tensors at once; seeds have the roots' layouts. Leaves change only
/// when all went well. Threads whose backwards reach the same leaf, or the same part of a tape, run
/// one after the other, in no set order: what they add up is right to rounding.
void backward(std::span<const Tensor> roots, std::span<const Tensor> seeds, const Run& run = {});

/// The gradient as grad() gives it: a constant to read, of which a backward knows.
Tensor as_read(const Tensor& gradient);
/// GradError where a backward came to such a gradient, by the operation `by` (none: it is a root).
void refuse_read_gradient(const Node* node, std::string_view by);

using Inputs = std::initializer_list<std::reference_wrapper<const Tensor>>;

bool any_on_tape(Inputs inputs);

}  // namespace tape

/// What the backward of an operation sees of its call: the gradients of its outputs, and where the
/// gradients of its inputs go.
class Grads {
 public:
  explicit Grads(tape::Node& node) : node_(node) {}

  /// Whether input `i`'s gradient is wanted.
  bool wants(int i) const { return static_cast<bool>(edge(i).node); }
  /// Adds `g` to input i's gradient; its shape, type and mask must be the input's. Ignored where it
  /// is not wanted.
  void add(int i, const Tensor& g);
  /// Input i's gradient itself, to add into; made of zeros where nothing has reached it. Only where
  /// wanted.
  template <Real T>
  std::span<T> into(int i) {
    return rows::of_mutable<T>(slot(i).own());
  }
  /// The same without zeros: where nothing has reached it (`fresh`) its values are not set, and all
  /// must be written; else they are to be added to.
  template <Real T>
  struct Target {
    T* values;
    bool fresh;
  };
  template <Real T>
  Target<T> target(int i) {
    bool fresh = false;
    T* values = rows::of_mutable<T>(slot(i).own(fresh)).data();
    return {values, fresh};
  }
  /// The gradient of output `i`; undefined where nothing reached it.
  const Tensor& output(int i) const { return node_.slots[static_cast<std::size_t>(i)].grad; }

 private:
  const tape::Node::Edge& edge(int i) const { return node_.inputs[static_cast<std::size_t>(i)]; }
  tape::Slot& slot(int i) { return edge(i).node->slots[edge(i).slot]; }
  tape::Node& node_;
};

/// An input that backward will read. Reading it throws GradError where it is a parameter that has
/// changed since.
class Saved {
 public:
  explicit Saved(const Tensor& x);
  const Tensor& get() const;

 private:
  Tensor value_;
  Ref<Counted> leaf_;
  std::uint64_t version_;
};

namespace tape {

template <class F>
class ClosureNode final : public Node {
 public:
  ClosureNode(std::string_view name, F f) : Node(name), f_(std::move(f)) {}
  void run(Grads& grads) override {
    if constexpr (std::is_invocable_v<F&, const Tensor&, Grads&>) {
      (*f_)(slots[0].grad, grads);
    } else {
      (*f_)(grads);
    }
  }
  void release() override {
    f_.reset();
    Node::release();
  }

 private:
  std::optional<F> f_;
};

}  // namespace tape

/// Puts a call on the tape: `y` was made from `inputs`, and `backward(dy, grads)` adds the
/// gradients of the inputs. It must not capture the result of `record`, only plain tensors such as
/// `y`, and inputs as Saved. Without a tape (NoGrad, no input on it) gives `y` as it is.
template <class F>
Tensor record(std::string_view op, const Tensor& y, tape::Inputs inputs, F backward) {
  if (!tape::any_on_tape(inputs)) return y;
  auto node = make_ref<tape::ClosureNode<F>>(op, std::move(backward));
  for (const Tensor& input : inputs) node->connect(input);
  return node->attach(y);
}

/// The same for a list of inputs, and for several results: `backward(grads)` asks
/// `grads.output(i)`.
template <class F>
std::vector<Tensor> record_many(std::string_view op, const std::vector<Tensor>& results,
                                const std::vector<Tensor>& inputs, F backward) {
  bool wanted = false;
  for (const auto& input : inputs) wanted = wanted || input.on_tape();
  if (!wanted || !recording()) return results;
  auto node = make_ref<tape::ClosureNode<F>>(op, std::move(backward));
  for (const auto& input : inputs) node->connect(input);
  std::vector<Tensor> on_tape;
  for (const auto& y : results) on_tape.push_back(node->attach(y));
  return on_tape;
}

}  // namespace maskgrad
