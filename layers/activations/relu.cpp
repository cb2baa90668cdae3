#include <maskgrad/layers/activations/relu.hpp>

#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

ReLU::ReLU(ReLUOptions options)
    : info(kind, options.name),
      options_(std::move(options)),
      function_{.negative_slope = options_.negative_slope,
                .max_value = options_.max_value.value_or(ReluShape{}.max_value),
                .threshold = options_.threshold} {
  check::not_negative(kind, "max_value", function_.max_value);
  check::not_negative(kind, "negative_slope", options_.negative_slope);
  check::not_negative(kind, "threshold", options_.threshold);
  if (function_.max_value < options_.threshold) {
    fail<OptionError>(kind, "the option .max_value is {} and .threshold {}; expected it or more",
                      function_.max_value, options_.threshold);
  }
}

}  // namespace maskgrad
