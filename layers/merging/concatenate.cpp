#include <maskgrad/layers/merging/concatenate.hpp>

#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

Concatenate::Concatenate(ConcatenateOptions options)
    : info(kind, options.name), options_(std::move(options)) {
  check::axis(kind, "axis", options_.axis);
}

TimeContract Concatenate::time_now() const {
  if ((options_.axis < 0 ? options_.axis + rank_ : options_.axis) > 1) return time;
  return TimeContract::whole("it may put the steps of one sequence behind another's", ".axis = -1");
}

Tensor Concatenate::forward(const Tensors& inputs) {
  rank_ = inputs[0].rank();
  return concatenate(inputs, static_cast<int>(options_.axis));
}

}  // namespace maskgrad
