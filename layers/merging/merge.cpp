#include <maskgrad/layers/merging/merge.hpp>

#include <algorithm>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad::detail {
namespace {

Tensor pair(Merging how, const Tensor& a, const Tensor& b) {
  switch (how) {
    case Merging::subtract:
      return a - b;
    case Merging::multiply:
      return a * b;
    case Merging::maximum:
      return maximum(a, b);
    case Merging::minimum:
      return minimum(a, b);
    default:
      return a + b;
  }
}

/// With new axes behind the batch, `rank` in all.
Tensor lengthened(Tensor x, int rank) {
  while (x.rank() < rank) x = expand_dims(x, 1);
  return x;
}

}  // namespace

Tensor merged(Merging how, const Tensors& inputs) {
  if (how == Merging::subtract && inputs.size() != 2) refuse_inputs(inputs.size(), "two");
  check::one_batch(inputs);
  int rank = 0;
  for (const auto& x : inputs) rank = std::max(rank, x.rank());
  Tensor y = lengthened(inputs[0], rank);
  for (std::size_t i = 1; i < inputs.size(); ++i) y = pair(how, y, lengthened(inputs[i], rank));
  return how == Merging::average ? y / static_cast<double>(inputs.size()) : y;
}

}  // namespace maskgrad::detail
