#pragma once

#include <type_traits>
#include <vector>

#include <maskgrad/autograd/record.hpp>

namespace maskgrad {

/// What the backward of an operation sees where its gradient is to be differentiated: as Grads, but
/// all tensors are on the tape, and gradients are made of operations. Backward itself has run by
/// then, by its fast form: only the derivatives of what is told here are used, not its values.
class Adjoint {
 public:
  /// Of a call whose gradient is `node`: its inputs are the gradients of the call's `results`, the
  /// call's inputs, and its results. `recorded`: what is told is tied to them on the tape.
  Adjoint(const tape::Node& node, const std::vector<Tensor>& outputs, std::size_t inputs,
          bool recorded);

  bool wants(int i) const;
  /// The gradient of output `i`; undefined where nothing reached it.
  const Tensor& output(int i) const { return aliases_[static_cast<std::size_t>(i)]; }
  /// A slot for the gradient of input `i`. Only where wanted.
  tape::Slot layout(int i) const;
  /// Input `i`, whose value backward had kept.
  Tensor input(int i, const Saved& x);
  /// Result `i`, whose value backward had kept.
  Tensor result(const Tensor& y, int i = 0);
  /// Adds `g` to input i's gradient. Ignored where it is not wanted.
  void add(int i, const Tensor& g);
  /// Adds the gradients of all inputs, where these are the call's results made again of `input(i)`
  /// by operations.
  void through(const std::vector<Tensor>& results);
  void through(const Tensor& y) { through(std::vector<Tensor>{y}); }

 private:
  friend class AdjointNode;
  Tensor alias(std::size_t edge, const Tensor& value);

  const tape::Node& node_;
  std::size_t results_, inputs_;
  bool recorded_;
  std::vector<Tensor> aliases_;    ///< of the node's inputs, where they were asked for
  std::vector<Tensor> gradients_;  ///< of the call's inputs
};

/// What an operation with a second derivative of its own sees: the gradients `up` of what backward
/// gave, and where what comes of them to the call goes.
class Second {
 public:
  /// The gradient of input i's gradient; undefined: none.
  const Tensor& up(int i) const { return up_[static_cast<std::size_t>(i)]; }
  /// The gradient of output i that backward had; undefined: none.
  const Tensor& output(int i) const { return outputs_[static_cast<std::size_t>(i)]; }
  bool wants_output(int i) const;
  bool wants_input(int i) const;
  void add_output(int i, const Tensor& g) { found_[static_cast<std::size_t>(i)] = g; }
  void add_input(int i, const Tensor& g) {
    found_[outputs_.size() + static_cast<std::size_t>(i)] = g;
  }

 private:
  friend class AdjointNode;
  explicit Second(const tape::Node& node) : node_(node), found_(node.inputs.size()) {}

  const tape::Node& node_;
  std::vector<Tensor> up_, outputs_, found_;
};

/// Whether a backward that takes `auto& grads` is asked to tell its gradient as operations.
template <class G>
inline constexpr bool is_adjoint = std::is_same_v<std::remove_cvref_t<G>, Adjoint>;

}  // namespace maskgrad
