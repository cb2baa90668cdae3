#include <maskgrad/layers/reshaping/repeat_vector.hpp>

#include <maskgrad/autograd/ops/shape/repeat.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

RepeatVector::RepeatVector(RepeatVectorOptions options)
    : info(kind, options.name), options_(std::move(options)) {
  check::at_least(kind, "n", options_.n, 1);
}

Tensor RepeatVector::forward(const Tensor& x) const {
  check::layer_rank(x, 2, "[batch, features]");
  return broadcast_to(expand_dims(x, 1), {x.shape()[0], options_.n, x.shape()[1]});
}

}  // namespace maskgrad
