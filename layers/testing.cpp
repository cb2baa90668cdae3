#include <maskgrad/layers/testing.hpp>

#include <maskgrad/core/random.hpp>

namespace maskgrad::detail {

Tensor sample_input(const Spec& spec, Seed seed) {
  Shape shape;
  for (int axis = 0; axis < spec.shape().rank(); ++axis) {
    const auto size = spec.shape()[axis];
    shape.push_back(size != any ? size : axis == 0 ? 4 : axis == 1 ? 5 : 3);
  }
  if (is_real(spec.dtype())) return random_normal(shape, seed, DType::f64);
  return cast(random_uniform(shape, seed, 0, 3, DType::f64), DType::i64);
}

}  // namespace maskgrad::detail
