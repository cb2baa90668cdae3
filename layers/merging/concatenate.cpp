#include <maskgrad/layers/merging/concatenate.hpp>

#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

Concatenate::Concatenate(ConcatenateOptions options)
    : info(kind, options.name), options_(std::move(options)) {
  check::axis(kind, "axis", options_.axis);
}

Tensor Concatenate::forward(const Tensors& inputs) const {
  return concatenate(inputs, static_cast<int>(options_.axis));
}

}  // namespace maskgrad
