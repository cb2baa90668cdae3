#pragma once

#include <string>
#include <vector>

#include <maskgrad/autograd/parameter.hpp>
#include <maskgrad/layers/options.hpp>

namespace maskgrad {

/// What a step did.
struct StepReport {
  bool applied = false;  ///< false where the gradients are of no valid position: nothing changed
  double norm = 0;       ///< L2 norm of all gradients together, before any clipping
  std::vector<std::string> without_gradient;  ///< parameters that nothing reached
  /// `applied, norm 0.31` or `not applied: no valid position`.
  std::string str() const;
};

/// What all optimizers do around their update: they hold the parameters, count steps, leave all as
/// it is where no position was valid, clear gradients, and move the noise to its next step.
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
  virtual void write_options(OptionWriter& writer) const = 0;

 protected:
  /// OptionError for no parameters, and unless the learning rate is above 0.
  Optimizer(std::string_view kind, std::vector<Parameter> parameters, double learning_rate);
  /// A tensor of `value` for each parameter.
  std::vector<Tensor> state(double value = 0) const;
  /// Changes parameter `i` in place; `step` counts this parameter's steps, from 1: one without a
  /// gradient makes none.
  virtual void update(std::size_t i, const Tensor& grad, std::int64_t step) = 0;

  template <class Options>
  void write(Options options, OptionWriter& writer) const {
    options.learning_rate = learning_rate_;
    Options::each_option(options, writer);
  }

 private:
  std::string kind_;
  std::vector<Parameter> parameters_;
  double learning_rate_;
  std::int64_t steps_ = 0;
  std::vector<std::int64_t> steps_of_;
};

namespace check {
/// OptionError unless low <= value < high (or value <= high with `closed`).
void option(std::string_view kind, std::string_view name, double value, double low, double high);
}  // namespace check

}  // namespace maskgrad
