#pragma once

#include <type_traits>
#include <utility>
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
  /// `told`: which gradients of the call's inputs are to be; `wanted`: what comes to which of the
  /// node's inputs is asked for.
  Adjoint(const tape::Node& node, const std::vector<Tensor>& outputs, std::vector<bool> told,
          std::vector<bool> wanted, bool recorded);

  bool wants(int i) const { return told_[static_cast<std::size_t>(i)]; }
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
  bool differentiated(std::size_t edge) const;

  const tape::Node& node_;
  std::size_t results_, inputs_;
  std::vector<bool> told_, wanted_;
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
  bool wants_output(int i) const { return wanted_[static_cast<std::size_t>(i)]; }
  bool wants_input(int i) const { return wanted_[outputs_.size() + static_cast<std::size_t>(i)]; }
  /// What comes to output i's gradient, and to input i: once each, ignored where not wanted.
  void add_output(int i, const Tensor& g) { put(static_cast<std::size_t>(i), g); }
  void add_input(int i, const Tensor& g) { put(outputs_.size() + static_cast<std::size_t>(i), g); }

 private:
  friend class AdjointNode;
  /// `wanted`: what comes to which of the adjoint's inputs is asked for.
  Second(std::vector<Tensor> up, std::vector<Tensor> outputs, const std::vector<bool>& wanted)
      : up_(std::move(up)), outputs_(std::move(outputs)), found_(wanted.size()), wanted_(wanted) {}

  void put(std::size_t i, const Tensor& g) {
    if (wanted_[i]) found_[i] = g;
  }

  std::vector<Tensor> up_, outputs_, found_;
  std::vector<bool> wanted_;
};

/// Whether a backward that takes `auto& grads` is asked to tell its gradient as operations.
template <class G>
inline constexpr bool is_adjoint = std::is_same_v<std::remove_cvref_t<G>, Adjoint>;

}  // namespace maskgrad
