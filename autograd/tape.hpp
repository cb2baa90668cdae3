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

class Adjoint;
class Grads;
class Second;

namespace tape {

using maskgrad::detail::Counted;
using maskgrad::detail::Ref;

/// One output of a node: what its gradient must look like, and the sum that has reached it so far.
struct Slot {
  Shape shape;
  DType dtype = DType::f32;
  Mask mask;
  Tensor grad;

  Slot() = default;
  explicit Slot(const Tensor& output);
  /// One for a gradient of the same layout, which nothing has reached yet.
  Slot like() const;
  /// Adds `g`; its layout must be the output's. While the thread records, the sum is on the tape.
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
  /// Backward: from the gradients of the outputs to those of the inputs.
  virtual void run(Grads& grads) = 0;
  /// The same where a gradient of the gradient may be asked for: what it gives is on the tape.
  virtual void run_recorded();
  /// Lets go of all that backward needed.
  virtual void release();
  virtual bool is_leaf() const { return false; }
  void end() const override;
  void connect(const Tensor& input);
  /// Adds to the gradient of the tensor that input `i` is.
  void hand_on(std::size_t i, const Tensor& gradient) const {
    inputs[i].node->slots[inputs[i].slot].add(op, gradient);
  }
  Tensor attach(const Tensor& output);

  std::string op;
  std::uint64_t id;          // rises along the tape, so sorting by it is a topological order
  std::uint64_t visit = 0;   // the last backward that reached it
  std::uint64_t holder = 0;  // the backward that runs over it now, in one of the threads
  bool wanted = true;        // whether the backward that runs now needs its outputs' gradients
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
  bool retain = false;        ///< the tape can be used again
  bool create_graph = false;  ///< gradients are on the tape themselves
  double count = 1;           ///< positions that the seeds are a mean over; leaves add it up
  /// Gets the noise of the models whose parameters were reached, each once.
  std::vector<Ref<maskgrad::detail::NoiseState>>* reached = nullptr;
};
/// GradError for a tensor that no backward can start from.
void check_on_tape(const Tensor& root);
/// Runs backward from several tensors at once; seeds have the roots' layouts. Leaves change only
/// when all went well. Threads whose backwards reach the same leaf, or the same part of a tape, run
/// one after the other, in no set order: what they add up is right to rounding.
void backward(std::span<const Tensor> roots, std::span<const Tensor> seeds, const Run& run = {});
/// The gradients of `targets`, which are on the tape; undefined where nothing reaches one. Leaves
/// keep what they have, and what lies before every target is not walked.
std::vector<Tensor> gradients(std::span<const Tensor> roots, std::span<const Tensor> seeds,
                              std::span<const Tensor> targets, const Run& run = {});

/// Runs the nodes from `first` on, inside a backward that has come there: what lies before gets its
/// gradients from them, as that backward wants them.
void run_part(std::span<const Tensor> roots, std::span<const Tensor> seeds, std::uint64_t first,
              bool create_graph);
/// The id that the next node will have, or a lower one than it.
std::uint64_t next_node();

/// The gradient as grad() gives it: a constant to read, of which a backward knows.
Tensor as_read(const Tensor& gradient);
/// GradError where a backward came to such a gradient, by the operation `by` (none: it is a root).
void refuse_read_gradient(const Node* node, std::string_view by);

using Inputs = std::initializer_list<std::reference_wrapper<const Tensor>>;

bool any_on_tape(Inputs inputs);
bool any_on_tape(const std::vector<Tensor>& inputs);
/// The operation whose backward this thread runs, for errors.
std::string_view running_op();

}  // namespace tape

}  // namespace maskgrad
