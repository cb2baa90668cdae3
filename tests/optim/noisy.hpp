#pragma once

#include <vector>

#include <maskgrad/maskgrad.hpp>

namespace maskgrad::tests {

using Values = std::vector<double>;

inline Tensor some(std::int64_t batch = 3) {
  return random_normal({batch, 5, 4}, Seed{4}, DType::f64);
}
inline Values dense_values(const Tensor& x) {
  return x.to_vector<double>(-7);
}

inline Sequential dropping() {
  Sequential model{Dense{{.units = 8}}, Dropout{{.rate = 0.5}}, Dense{{.units = 2}}};
  model.build(Spec::f64({any, any, 4}), Seed{1});
  return model;
}
/// Two passes whose outputs are pulled together, as R-Drop and SimCSE have.
inline Loss twice(Sequential& model, const Tensor& x) {
  const Tensor a = model(x), b = model(x);
  return mean_squared_error(a, b) + 0.5 * mean_squared_error(zeros(a.shape(), a.dtype()), a);
}

}  // namespace maskgrad::tests
