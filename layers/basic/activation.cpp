#include <maskgrad/layers/basic/activation.hpp>

namespace maskgrad {
namespace {

void only_of(const ActivationOptions& options, bool given, std::string_view option,
             std::string_view function, std::string_view other = {}) {
  if (!given || options.activation == function || options.activation == other) return;
  fail<OptionError>("Activation", "the option .{} with the activation '{}'; it is one of {}{}{}",
                    option, options.activation, function, other.empty() ? "" : " and ", other);
}

}  // namespace

Activation::Activation(ActivationOptions options)
    : info(kind, options.name),
      options_(std::move(options)),
      function_(activation(options_.activation)) {
  only_of(options_, options_.negative_slope.has_value(), "negative_slope", "leaky_relu", "relu");
  only_of(options_, options_.alpha.has_value(), "alpha", "elu");
  only_of(options_, options_.approximate.has_value(), "approximate", "gelu");
}

Tensor Activation::forward(const Tensor& x) const {
  if (options_.negative_slope) {
    const double slope = *options_.negative_slope;
    return options_.activation == "relu" ? relu(x, {.negative_slope = slope})
                                         : leaky_relu(x, slope);
  }
  if (options_.alpha) return elu(x, *options_.alpha);
  if (options_.approximate) return gelu(x, *options_.approximate);
  return function_(x);
}

}  // namespace maskgrad
