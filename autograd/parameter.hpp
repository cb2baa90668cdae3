#pragma once

#include <string>
#include <utility>
#include <vector>

#include <maskgrad/autograd/tape.hpp>

namespace maskgrad {

/// A weight or a state of a layer: a shared handle on values that change, through `set` or an
/// optimizer. Copies are the same parameter (that is weight sharing); `clone` makes another.
class Parameter {
 public:
  Parameter() = default;
  /// One that is not trainable from the beginning is a state (a moving average) and stays so.
  explicit Parameter(const Tensor& value, std::string name = "", bool trainable = true);

  bool defined() const { return static_cast<bool>(leaf_); }
  /// The live values; on the tape where the parameter is trainable.
  Tensor tensor() const;
  operator Tensor() const { return tensor(); }
  /// A copy of the values as they are now.
  Tensor value() const;
  /// Puts new values in the place of the old ones. ShapeError, TypeError where they do not fit;
  /// then nothing has changed.
  void set(const Tensor& value) const;

  const Shape& shape() const { return tensor().impl().shape; }
  DType dtype() const { return tensor().dtype(); }
  /// Path in its model, as `encoder/gru/kernel`.
  const std::string& name() const;
  void rename(std::string name) const;
  bool trainable() const;
  bool is_state() const;
  /// Freezes a weight, or ends that. OptionError for a state that is to be trained.
  void set_trainable(bool trainable) const;
  /// Sum of the gradients since the last clear; undefined where there was none. A constant: a
  /// backward through what is made of it is a GradError, but for stop_gradient(p.grad()).
  Tensor grad() const;
  /// The same by itself, of which no backward knows: for code that reads it and lets it go.
  const Tensor& grad_value() const;
  void set_grad(const Tensor& grad, double count = 1) const;
  void clear_grad() const;
  /// Positions that the gradient is a mean over, summed over the backwards since the last clear: 0
  /// where nothing was valid.
  double grad_count() const;
  /// Another parameter with the same name and values, in `dtype`.
  Parameter clone(DType dtype) const;
  bool same(const Parameter& other) const { return state_ == other.state_; }

  /// The noise of the model that it is of (autograd/noise.hpp), which a build sets; null: of none.
  const detail::Ref<detail::NoiseState>& noise() const;
  void set_noise(detail::Ref<detail::NoiseState> noise) const;

 private:
  friend class ParameterScope;
  struct State : detail::Counted {
    Tensor value;
    bool trainable = true;
    bool state = false;
  };
  const State& state() const;
  detail::Ref<State> state_;
  detail::Ref<tape::Leaf> leaf_;
};

/// Those that are trained, without states and frozen weights.
/// Example:  const auto weights = mg::trainable(model.parameters());
///           mg::gradients(mg::mean_squared_error(y, model(x)).tensor(), weights);
std::vector<Parameter> trainable(const std::vector<Parameter>& parameters);

/// While one lives, this thread reads `values` in the place of the parameters: a model with other
/// weights, which may be on the tape. What is trained and saved stays as it is.
/// Shapes:   a value for each parameter, of its shape and type, without a mask.
/// Throws:   ShapeError, TypeError, MaskError.
/// Example:  const std::vector<mg::Parameter> w = model.parameters();
///           const auto g = mg::gradients(mg::mean_squared_error(y, model(x)).tensor(), w,
///                                        {.create_graph = true});
///           std::vector<mg::Tensor> moved;
///           for (std::size_t i = 0; i < w.size(); ++i) moved.push_back(w[i] - 0.1 * g[i]);
///           const mg::ParameterScope scope(w, moved);  // one step of training, differentiable
///           mg::mean_squared_error(y, model(x)).backward();
class ParameterScope {
 public:
  ParameterScope(const std::vector<Parameter>& parameters, const std::vector<Tensor>& values);
  ~ParameterScope();
  ParameterScope(const ParameterScope&) = delete;
  ParameterScope& operator=(const ParameterScope&) = delete;

 private:
  friend class Parameter;
  const Tensor* find(const Parameter& parameter) const;

  std::vector<std::pair<const void*, Tensor>> values_;  ///< by state, sorted
  std::vector<Parameter> kept_;
  const ParameterScope* outer_;
};

}  // namespace maskgrad
