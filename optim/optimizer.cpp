#include <maskgrad/optim/optimizer.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include <maskgrad/autograd/distinct.hpp>
#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/optim/clip.hpp>

namespace maskgrad {

std::string StepReport::str() const {
  std::string text = applied   ? fmt::format("applied, norm {:.4g}", norm)
                     : reached ? "not applied: the gradients are of no valid position"
                               : "not applied: none of its parameters has a gradient; call "
                                 "backward() before each step, on a loss of the model whose "
                                 "parameters it was made with (those of another model, or of one "
                                 "built anew since, are others)";
  if (!without_gradient.empty()) {
    text += fmt::format("; without a gradient: {}", fmt::join(without_gradient, ", "));
  }
  return text;
}

Optimizer::Optimizer(std::string_view kind, std::vector<Parameter> parameters, double learning_rate)
    : kind_(kind),
      parameters_(detail::distinct(std::move(parameters))),
      learning_rate_(learning_rate) {
  if (parameters_.empty()) {
    fail<OptionError>(kind,
                      "it was given no parameters; expected model.parameters() of a model "
                      "that was built");
  }
  check::option(kind, "learning_rate", learning_rate, 0, INFINITY);
  if (learning_rate == 0) {
    fail<OptionError>(kind,
                      "the option .learning_rate is 0; expected a number above 0. A schedule "
                      "that begins at 0 calls set_learning_rate");
  }
  steps_of_.resize(parameters_.size());
  detail::begin_noise(detail::noise_states(parameters_));
}

void Optimizer::set_learning_rate(double rate) {
  check::option(kind_, "learning_rate", rate, 0, INFINITY);
  learning_rate_ = rate;
}

std::vector<Tensor> Optimizer::state(double value) const {
  std::vector<Tensor> all;
  for (const auto& p : parameters_) all.push_back(full(p.shape(), value, p.dtype()));
  return all;
}

void Optimizer::clear_grad() const {
  for (const auto& p : parameters_) p.clear_grad();
}

StepReport Optimizer::step() {
  StepReport report;
  for (const auto& p : parameters_) {
    if (!p.trainable()) continue;
    if (p.grad_value().defined()) {
      report.reached = true;
    } else {
      report.without_gradient.push_back(p.name());
    }
    report.applied = report.applied || p.grad_count() > 0;
  }
  report.norm = detail::norm_of_distinct(parameters_);
  if (report.applied) {
    ++steps_;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      const auto& p = parameters_[i];
      const Tensor grad = p.grad_value();
      if (!p.trainable() || !grad.defined()) continue;
      ++steps_of_[i];
      if (!elsewhere_.empty() && elsewhere_[i]) continue;
      update(i, grad, steps_of_[i]);
      p.tensor().impl().storage.bump_version();
    }
  }
  clear_grad();
  detail::next_noise_step(detail::noise_states(parameters_));
  return report;
}

bool is_bias_or_norm(const Parameter& parameter) {
  const std::string_view name = parameter.name();
  const auto last = name.substr(name.rfind('/') + 1);  // npos + 1 is 0
  return last == "bias" || last == "gamma" || last == "beta" || parameter.shape().rank() <= 1;
}

bool Optimizer::spared(std::size_t i, bool decay_biases) const {
  const auto& p = parameters_[i];
  return (spared_ && spared_(p)) || (!decay_biases && is_bias_or_norm(p));
}

namespace {

/// Whether all values are finite, and none is below `least`.
bool all_from(const Tensor& x, double least) {
  return extend::dispatch_real("set_state", x.dtype(), [&]<class T>() {
    const auto values = rows::of<T>(x);
    constexpr T most = std::numeric_limits<T>::max();
    return std::all_of(values.begin(), values.end(), [=](T v) { return v >= least && v <= most; });
  });
}

}  // namespace

detail::SavedValues Optimizer::saved_values() {
  if (!elsewhere_.empty()) {
    fail<StateError>(kind_,
                     "each rank holds a part of what it remembers (.shard_optimizer); call "
                     "gather_optimizer(optimizer, communicator) on all ranks first");
  }
  detail::SavedValues all;
  const auto count = [&all](std::string name, std::int64_t& steps) {
    all.push_back({std::move(name), tensor({steps}, {}),
                   [&steps](const Tensor& x) { steps = static_cast<std::int64_t>(x.item()); },
                   detail::is_count});
  };
  count("steps", steps_);
  const auto names = detail::distinct_names(parameters_);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto& name = names[i];
    count("steps/" + name, steps_of_[i]);
    for (const auto& state : states()) {
      if (i >= state.of.size() || !state.of[i].defined()) continue;
      all.push_back(detail::saved_in_place(fmt::format("{}/{}", state.name, name), state.of[i]));
      all.back().allows = [least = state.least](const Tensor& x) { return all_from(x, least); };
    }
  }
  return all;
}

NamedArrays Optimizer::state_arrays() {
  return detail::arrays_of(saved_values());
}

void Optimizer::set_state(const NamedArrays& arrays) {
  detail::put_values({kind_, "the state", "optimizer", true}, saved_values(), arrays);
}

namespace check {
void option(std::string_view kind, std::string_view name, double value, double low, double high) {
  constexpr double most = std::numeric_limits<float>::max();
  if (value >= low && value < std::min(high, most)) return;
  const bool bounded = high < most || value >= most;
  fail<OptionError>(kind, "the option .{} is {}; expected {} or more{}", name, value, low,
                    bounded ? fmt::format(", and below {:.3g}", std::min(high, most)) : "");
}

void above_0(std::string_view kind, std::string_view name, double value, double high) {
  if (value != 0) return option(kind, name, value, 0, high);
  fail<OptionError>(kind, "the option .{} is 0; expected a number above 0{}", name,
                    std::isinf(high) ? "" : fmt::format(", and below {:.3g}", high));
}
}  // namespace check

}  // namespace maskgrad
