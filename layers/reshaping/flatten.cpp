#include <maskgrad/layers/reshaping/flatten.hpp>

#include <maskgrad/autograd/ops/shape/permute.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

Flatten::Flatten(FlattenOptions options)
    : info(kind, options.name),
      options_(std::move(options)),
      channels_first_(check::channels_first(kind, options_.data_format)) {}

Tensor Flatten::forward(const Tensor& x) const {
  if (x.rank() == 0) fail<ShapeError>(kind, "input is {}; expected [batch, ...]", x.describe());
  if (x.rank() == 1) return expand_dims(x, 1);
  return flatten(channels_first_ ? moveaxis(x, 1, -1) : x, 1, -1);
}

}  // namespace maskgrad
