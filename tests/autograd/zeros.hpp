#pragma once

#include <maskgrad/autograd/extend.hpp>

namespace maskgrad::tests {

/// f32[2, 3, 4], mask [2, 3].
inline Tensor masked() {
  return zeros({2, 3, 4}).with_mask(Mask::from_lengths({3, 1}));
}
inline Tensor ids(const Shape& shape) {
  return zeros(shape, DType::i64);
}

}  // namespace maskgrad::tests
