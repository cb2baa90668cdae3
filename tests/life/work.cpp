#include <cstdio>
#include <cstdlib>
#include <vector>

#include "life.hpp"

namespace life {

[[noreturn]] void wrong(const char* what) {
  std::fprintf(stderr, "wrong: %s\n", what);
  std::_Exit(1);
}
void expect(bool right, const char* what) {
  if (!right) wrong(what);
}

mg::Sequential built() {
  mg::Sequential model{mg::GRU{{.units = 48, .return_sequences = true}}, mg::Dense{{.units = 3}}};
  model.build(mg::Spec::f32({mg::any, mg::any, 16}), mg::Seed{1});
  return model;
}

mg::Tensor batch(std::int64_t sequences, std::int64_t steps) {
  return mg::random_normal({sequences, steps, 16}, mg::Seed{2})
      .with_mask(mg::Mask::from_lengths(
          std::vector<std::int64_t>(static_cast<std::size_t>(sequences), steps)));
}

double train(mg::Sequential& model, mg::Adam& adam, int steps) {
  double value = 0;
  const mg::Tensor x = batch();
  for (int i = 0; i < steps; ++i) {
    const mg::Loss loss = mg::mean_squared_error(mg::slice(x, -1, 0, 3), model(x));
    loss.backward();
    adam.step();
    value = loss.value();
  }
  return value;
}

mg::Tensor product() {
  const mg::Tensor a = mg::random_normal({400, 300}, mg::Seed{3});
  return mg::matmul(a, mg::random_normal({300, 200}, mg::Seed{4}));
}

std::atomic<bool> computing{false};

void compute_for_ever() {
  auto model = built();
  mg::Adam adam{model.parameters()};
  for (;;) {
    product();
    train(model, adam, 1);
    computing = true;
  }
}

}  // namespace life
