#include <maskgrad/layers/basic/activation.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

namespace maskgrad {
namespace {

void only_of(const ActivationOptions& options, bool given, std::string_view option,
             std::initializer_list<std::string_view> functions) {
  if (!given ||
      std::find(functions.begin(), functions.end(), options.activation) != functions.end()) {
    return;
  }
  fail<OptionError>("Activation", "the option .{} with the activation '{}'; it is one of {}",
                    option, options.activation, fmt::join(functions, " and "));
}

void check_options(const ActivationOptions& o) {
  only_of(o, o.negative_slope.has_value(), "negative_slope", {"relu", "leaky_relu"});
  only_of(o, o.max_value.has_value(), "max_value", {"relu"});
  only_of(o, o.threshold.has_value(), "threshold", {"relu", "hard_shrink", "soft_shrink"});
  only_of(o, o.alpha.has_value(), "alpha", {"elu", "celu"});
  only_of(o, o.approximate.has_value(), "approximate", {"gelu"});
}

/// A function of two arguments with the second one given.
template <class T>
std::function<Tensor(const Tensor&)> with(Tensor (*f)(const Tensor&, T), T option) {
  return [f, option](const Tensor& x) { return f(x, option); };
}

/// The function with its options.
std::function<Tensor(const Tensor&)> function_of(const ActivationOptions& o) {
  const std::string& name = o.activation;
  if (name == "relu" && (o.negative_slope || o.max_value || o.threshold)) {
    const ReluShape all{.negative_slope = o.negative_slope.value_or(0),
                        .max_value = o.max_value.value_or(ReluShape{}.max_value),
                        .threshold = o.threshold.value_or(0)};
    return [all](const Tensor& x) { return relu(x, all); };
  }
  if (o.negative_slope) return with<double>(leaky_relu, *o.negative_slope);
  if (o.threshold && name == "hard_shrink") return with<double>(hard_shrink, *o.threshold);
  if (o.threshold) return with<double>(soft_shrink, *o.threshold);
  if (o.alpha && name == "elu") return with<double>(elu, *o.alpha);
  if (o.alpha) return with<double>(celu, *o.alpha);
  if (o.approximate) return with<bool>(gelu, *o.approximate);
  return activation(name);
}

}  // namespace

Activation::Activation(ActivationOptions options)
    : info(kind, options.name), options_(std::move(options)) {
  activation(options_.activation);
  check_options(options_);
  function_ = function_of(options_);
}

MaskContract Activation::contract_now() const {
  MaskContract now = contract;
  if (options_.activation == "softmax" || options_.activation == "log_softmax") {
    now.full_role = MaskRole::supports;
  }
  return now;
}

}  // namespace maskgrad
