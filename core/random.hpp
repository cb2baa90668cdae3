#pragma once

#include <maskgrad/core/seed.hpp>
#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// Independent standard normal values, rounded from f64.
/// Example:  mg::random_normal({4, 5, 3}, mg::Seed{1});
Tensor random_normal(const Shape& shape, Seed seed, DType dtype = DType::f32);
/// Independent values, even over [low, high).
/// Example:  mg::random_uniform({4, 3}, mg::Seed{1}, -0.05, 0.05);
Tensor random_uniform(const Shape& shape, Seed seed, double low = 0, double high = 1,
                      DType dtype = DType::f32);

}  // namespace maskgrad
