#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <maskgrad/autograd/parameter.hpp>
#include <maskgrad/layers/layer/options.hpp>
#include <maskgrad/layers/model/saved_values.hpp>

namespace maskgrad {

namespace detail {
class OptimizerPart;
}  // namespace detail

/// What a step did.
struct StepReport {
  bool applied = false;  ///< false where the gradients are of no valid position: nothing changed
  bool reached = false;  ///< whether any of the parameters has a gradient
  double norm = 0;       ///< L2 norm of all gradients together, before any clipping
  std::vector<std::string> without_gradient;  ///< parameters that nothing reached
  /// `applied, norm 0.31`, or why it was not applied.
  std::string str() const;
};

/// What all optimizers do around their update: they hold the parameters, count steps, leave all as
/// it is where no position was valid, clear gradients, and move their models' noise to its next
/// step.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// Applies the gradients, clears them and reports. GradError, with nothing changed, where a
  /// gradient is NaN or infinite, naming the parameter.
  StepReport step();
  void clear_grad() const;
  /// Steps that were applied.
  std::int64_t steps() const { return steps_; }
  double learning_rate() const { return learning_rate_; }
  /// For schedules, which may begin or end at 0. OptionError below 0, for NaN and infinity.
  void set_learning_rate(double rate);
  const std::vector<Parameter>& parameters() const { return parameters_; }
  /// Its name, as make_optimizer takes it.
  const std::string& kind() const { return kind_; }
  /// Its options, with the learning rate as it is now.
  virtual void write_options(extend::OptionWriter& writer) const = 0;
  /// Where true, weight_decay spares the parameter, whatever `decay_biases` says.
  void spare_from_decay(std::function<bool(const Parameter&)> spared) {
    spared_ = std::move(spared);
  }
  /// All that it remembers from step to step, under names such as `mean/gru/kernel`; the second
  /// parameter of a name is `mean/gru/kernel_1`.
  detail::SavedValues saved_values();
  /// The same as arrays, and back. FileError that lists what is missing, unexpected or of another
  /// shape or type, with nothing changed.
  NamedArrays state_arrays();
  void set_state(const NamedArrays& arrays);

 protected:
  /// A list with a tensor for each parameter, some undefined or none where options need none.
  struct State {
    std::string_view name;
    std::vector<Tensor>& of;
    /// What none of their values can be below; of squares and the like 0. All are finite.
    double least = std::numeric_limits<double>::lowest();
  };
  /// A training begins: so does its noise (autograd/noise.hpp). A parameter that stands twice, as
  /// in the list of two models that share a layer, is one. OptionError for no parameters, and
  /// unless the learning rate is above 0.
  Optimizer(std::string_view kind, std::vector<Parameter> parameters, double learning_rate);
  /// A tensor of `value` for each parameter.
  std::vector<Tensor> state(double value = 0) const;
  /// Changes parameter `i` in place; `step` counts this parameter's steps, from 1: one without a
  /// gradient makes none.
  virtual void update(std::size_t i, const Tensor& grad, std::int64_t step) = 0;
  /// What `update` keeps from step to step.
  virtual std::vector<State> states() = 0;
  /// The weight decay of parameter `i`: 0 where it is spared.
  template <class Options>
  double decay_of(std::size_t i, const Options& options) const {
    return spared(i, options.decay_biases) ? 0 : options.weight_decay;
  }

  template <class Options>
  void write(Options options, extend::OptionWriter& writer) const {
    options.learning_rate = learning_rate_;
    Options::each_option(options, writer);
  }

 private:
  friend class detail::OptimizerPart;
  bool spared(std::size_t i, bool decay_biases) const;

  std::string kind_;
  std::vector<Parameter> parameters_;
  double learning_rate_;
  std::function<bool(const Parameter&)> spared_;
  std::int64_t steps_ = 0;
  std::vector<std::int64_t> steps_of_;
  /// Parameters whose state another rank holds and steps; empty: none is.
  std::vector<bool> elsewhere_;
};

/// Whether a parameter is a bias, or the scale or shift of a normalization: it is named bias, gamma
/// or beta, or has one axis or none.
bool is_bias_or_norm(const Parameter& parameter);

namespace check {
/// OptionError unless low <= value < high. No option is beyond what f32 can hold.
void option(std::string_view kind, std::string_view name, double value, double low, double high);
/// OptionError unless 0 < value < high.
void above_0(std::string_view kind, std::string_view name, double value, double high = INFINITY);
}  // namespace check

}  // namespace maskgrad
