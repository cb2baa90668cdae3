// A program outside the tree: it knows maskgrad by pkg-config alone, and trains a model with it.
#include <cstdio>

#include <maskgrad/maskgrad.hpp>

namespace mg = maskgrad;

int main() {
  const mg::Tensor x =
      mg::random_normal({4, 6, 2}, mg::Seed{1}).with_mask(mg::Mask::from_lengths({6, 1, 0, 4}));
  const mg::Tensor y = mg::sum(x, {-1}, true);
  mg::Sequential model{mg::GRU{{.units = 8, .return_sequences = true}}, mg::Dense{{.units = 1}}};
  model.build(mg::Spec::f32({mg::any, mg::any, 2}).masked(2), mg::Seed{1});
  mg::Adam adam{model.parameters(), {.learning_rate = 0.02}};
  double first = 0, last = 0;
  for (int step = 0; step < 100; ++step) {
    const mg::Loss loss = mg::mean_squared_error(y, model(x));
    loss.backward();
    adam.step();
    last = loss.value();
    if (step == 0) first = last;
  }
  std::printf("loss %.4f, after 100 steps %.4f\n", first, last);
  return last < 0.1 * first ? 0 : 1;
}
