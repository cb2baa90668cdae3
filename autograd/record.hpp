#pragma once

#include <concepts>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <maskgrad/autograd/tape.hpp>

namespace maskgrad {

namespace tape {
/// A backward that runs by itself, from other gradients than those that have reached its node.
struct Apart {
  std::vector<Tensor> outputs;  ///< gradients of the node's outputs
  std::vector<Slot> inputs;     ///< where those of its inputs go
  std::vector<bool> wanted;     ///< which of them are wanted
};
/// Before this place on the tape the backward that this thread runs wants nothing.
std::uint64_t first_wanted();
}  // namespace tape

/// What the backward of an operation sees of its call: the gradients of its outputs, and where the
/// gradients of its inputs go.
class Grads {
 public:
  /// Nodes before `first` want nothing.
  Grads(tape::Node& node, std::uint64_t first) : node_(node), first_(first) {}
  Grads(tape::Node& node, tape::Apart& apart) : node_(node), apart_(&apart) {}

  /// Whether input `i`'s gradient is wanted.
  bool wants(int i) const {
    if (apart_) return apart_->wanted[static_cast<std::size_t>(i)];
    const tape::Node* behind = edge(i).node.get();
    return behind && behind->wanted && behind->id >= first_;
  }
  /// Adds `g` to input i's gradient; its shape, type and mask must be the input's. Ignored where it
  /// is not wanted.
  void add(int i, const Tensor& g);
  /// Input i's gradient itself, to add into; made of zeros where nothing has reached it. Only where
  /// wanted.
  template <extend::Real T>
  std::span<T> into(int i) {
    return rows::of_mutable<T>(slot(i).own());
  }
  /// The same without zeros: where nothing has reached it (`fresh`) its values are not set, and all
  /// must be written; else they are to be added to.
  template <extend::Real T>
  struct Target {
    T* values;
    bool fresh;
  };
  template <extend::Real T>
  Target<T> target(int i) {
    bool fresh = false;
    T* values = rows::of_mutable<T>(slot(i).own(fresh)).data();
    return {values, fresh};
  }
  /// Where input i's gradient is added up. Only where wanted.
  tape::Slot& slot(int i) {
    return apart_ ? apart_->inputs[static_cast<std::size_t>(i)] : edge(i).node->slots[edge(i).slot];
  }
  /// The gradient of output `i`; undefined where nothing reached it.
  const Tensor& output(int i) const {
    const auto at = static_cast<std::size_t>(i);
    return apart_ ? apart_->outputs[at] : node_.slots[at].grad;
  }

 private:
  const tape::Node::Edge& edge(int i) const { return node_.inputs[static_cast<std::size_t>(i)]; }
  tape::Node& node_;
  tape::Apart* apart_ = nullptr;
  std::uint64_t first_ = 0;
};

/// An input that backward will read. Reading it throws GradError where it is a parameter that has
/// changed since.
class Saved {
 public:
  explicit Saved(const Tensor& x);
  const Tensor& get() const;

 private:
  Tensor value_;
  detail::Ref<detail::Counted> leaf_;
  std::uint64_t version_;
};

namespace detail {
inline const Tensor& value_of(const Tensor& kept) {
  return kept;
}
inline const Tensor& value_of(const Saved& kept) {
  return kept.get();
}
}  // namespace detail

namespace tape {

/// A node whose backward can be told again as operations (`tell`), for a second derivative.
class ComposedNode : public Node {
 public:
  using Node::Node;
  void run_recorded() override;
  virtual void tell(const Tensor& dy, Adjoint& adjoint) = 0;
  /// The second derivative by a kernel of its own; false where there is none.
  virtual bool differentiate(Second&) { return false; }
};

/// One that is linear in its inputs: `image(i, g)` is what its result is of g in the place of
/// input i and zeros in that of the others, so each derivative is there from the beginning.
class LinearNode : public Node {
 public:
  using Node::Node;
  void run_recorded() override;
  virtual Tensor image(int input, const Tensor& g) = 0;
};

/// Whether a function is a whole backward; one of dy alone is run by its node.
template <class F>
concept Runs = std::invocable<F&, const Tensor&, Grads&> || std::invocable<F&, Grads&>;

/// Holds the backward of a call as a function.
template <class F, class Base>
class Holding : public Base {
 public:
  Holding(std::string_view name, F f) : Base(name), f_(std::move(f)) {}
  void run(Grads& grads) override {
    if constexpr (Runs<F>) call(grads.output(0), grads);
  }
  void release() override {
    f_.reset();
    Node::release();
  }

 protected:
  template <class G>
  void call(const Tensor& dy, G& grads) {
    if constexpr (std::is_invocable_v<F&, const Tensor&, G&>) {
      (*f_)(dy, grads);
    } else {
      (*f_)(grads);
    }
  }
  F& held() { return *f_; }

 private:
  std::optional<F> f_;
};

template <class F>
class ToldNode : public Holding<F, ComposedNode> {
 public:
  using Holding<F, ComposedNode>::Holding;
  void tell(const Tensor& dy, Adjoint& adjoint) override { this->call(dy, adjoint); }
  bool differentiate(Second& second) override {
    if constexpr (requires(F & f) { f.second(second); }) {
      return this->held().second(second);
    } else {
      return false;
    }
  }
};

/// What a call with this backward is on the tape.
template <class F>
struct NodeOf {
  static constexpr bool told =
      std::is_invocable_v<F&, const Tensor&, Adjoint&> || std::is_invocable_v<F&, Adjoint&>;
  using type = std::conditional_t<told, ToldNode<F>, Holding<F, Node>>;
};

template <class F>
class SymmetricNode final : public Holding<F, LinearNode> {
 public:
  using Holding<F, LinearNode>::Holding;
  void run(Grads& grads) override {
    if (grads.wants(0)) grads.add(0, this->held()(grads.output(0)));
  }
  Tensor image(int, const Tensor& g) override { return this->held()(g); }
};

/// Both in one function, which so holds what they share once.
template <class F>
class LinearMapNode final : public Holding<F, LinearNode> {
 public:
  using Holding<F, LinearNode>::Holding;
  Tensor image(int, const Tensor& g) override { return this->held()(g); }
};

template <class Image, class F>
class LinearClosureNode final : public Holding<F, LinearNode> {
 public:
  LinearClosureNode(std::string_view name, Image image, F f)
      : Holding<F, LinearNode>(name, std::move(f)), image_(std::move(image)) {}
  Tensor image(int input, const Tensor& g) override {
    if constexpr (std::is_invocable_v<Image&, int, const Tensor&>) {
      return image_(input, g);
    } else {
      return image_(g);
    }
  }

 private:
  Image image_;
};

}  // namespace tape

namespace tape {
/// `y` as the result of a node of that class, which was made from `inputs`.
template <class N, class Inputs, class... Parts>
Tensor put(std::string_view op, const Tensor& y, const Inputs& inputs, Parts... parts) {
  if (!any_on_tape(inputs)) return y;
  auto node = detail::make_ref<N>(op, std::move(parts)...);
  for (const Tensor& input : inputs) node->connect(input);
  return node->attach(y);
}
}  // namespace tape

/// Puts a call on the tape: `y` was made from `inputs`, and `backward(dy, grads)` adds the
/// gradients of the inputs. It must not capture the result of `record`, only plain tensors such as
/// `y`, and inputs as Saved. Without a tape (NoGrad, no input on it) gives `y` as it is.
/// For second derivatives it takes an Adjoint too (autograd/adjoint.hpp): `auto& grads`. One that
/// also has a `second(Second&)` makes them by kernels of its own, where that gives true.
template <class F>
Tensor record(std::string_view op, const Tensor& y, tape::Inputs inputs, F backward) {
  return tape::put<typename tape::NodeOf<F>::type>(op, y, inputs, std::move(backward));
}

/// The same for an operation that is linear in its inputs together, apart from a constant:
/// `image(i, g)`, or of a single input `image(g)`, is the result for g in the place of input i and
/// zeros elsewhere. Every derivative is made of the two.
template <class Image, class F>
Tensor record_linear(std::string_view op, const Tensor& y, tape::Inputs inputs, Image image,
                     F backward) {
  return tape::put<tape::LinearClosureNode<Image, F>>(op, y, inputs, std::move(image),
                                                      std::move(backward));
}
template <class Image, class F>
Tensor record_linear(std::string_view op, const Tensor& y, const std::vector<Tensor>& inputs,
                     Image image, F backward) {
  return tape::put<tape::LinearClosureNode<Image, F>>(op, y, inputs, std::move(image),
                                                      std::move(backward));
}

/// The same for one input, where `map(g)` is the image and `map(dy, grads)` the backward: for small
/// models, which feel what a call keeps twice.
template <class F>
Tensor record_linear(std::string_view op, const Tensor& y, tape::Inputs inputs, F map) {
  return tape::put<tape::LinearMapNode<F>>(op, y, inputs, std::move(map));
}

/// The same for one input and an operation that is its own gradient: `backward(dy)` gives dx, and is
/// what the result is of, apart from a constant, too. It multiplies each value, say.
template <class F>
Tensor record_symmetric(std::string_view op, const Tensor& y, const Tensor& x, F backward) {
  return tape::put<tape::SymmetricNode<F>>(op, y, tape::Inputs{x}, std::move(backward));
}

/// As `record`, for a list of inputs and for several results: `backward(grads)` asks
/// `grads.output(i)`.
template <class F>
std::vector<Tensor> record_many(std::string_view op, const std::vector<Tensor>& results,
                                const std::vector<Tensor>& inputs, F backward) {
  if (!tape::any_on_tape(inputs)) return results;
  const auto node = detail::make_ref<typename tape::NodeOf<F>::type>(op, std::move(backward));
  for (const auto& input : inputs) node->connect(input);
  std::vector<Tensor> on_tape;
  for (const auto& y : results) on_tape.push_back(node->attach(y));
  return on_tape;
}

namespace tape {
/// `y`, whose gradient is x's as it comes.
Tensor passed(std::string_view op, const Tensor& y, const Tensor& x);
/// x by a node of its own: what is differentiated by it is not differentiated by what is behind it.
Tensor identity(const Tensor& x);
}  // namespace tape

}  // namespace maskgrad
