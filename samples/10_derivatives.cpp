// Second derivatives through masked recurrence and attention: a penalty on a gradient, the greatest
// eigenvalue of the loss's Hessian, and the gradient of each sequence's own loss.

#include <fmt/core.h>

#include <cmath>

#include <maskgrad/maskgrad.hpp>

namespace mg = maskgrad;

constexpr std::int64_t batch = 12, time_steps = 20, features = 4;

struct Data {
  mg::Tensor x, y;
};

/// Sequences of 3 to 20 steps; the target is the mean of what came so far in feature 0.
Data make_data() {
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < batch; ++i)
    lengths.push_back(3 + i * (time_steps - 3) / (batch - 1));
  const mg::Tensor x = mg::random_normal({batch, time_steps, features}, mg::Seed{1})
                           .with_mask(mg::Mask::from_lengths(lengths, time_steps));
  const mg::Tensor sums = mg::cumsum(mg::slice(x, -1, 0, 1), 1);
  return {x, sums / mg::cumsum(mg::ones_like(sums), 1)};
}

mg::Sequential make_model() {
  mg::Sequential model{
      mg::GRU{{.units = 16, .return_sequences = true}},
      mg::MultiHeadAttention{{.num_heads = 2, .key_dim = 8, .use_causal_mask = true}},
      mg::Dense{{.units = 1}},
  };
  model.build(mg::Spec::f32({mg::any, mg::any, features}).masked(2), mg::Seed{2});
  return model;
}

/// Trains with a penalty: how much the prediction changes with the input is to stay near 0.
double train(mg::Sequential& model, const Data& data, double weight) {
  mg::Adam adam{model.parameters(), {.learning_rate = 0.01}};
  double slope = 0;
  for (int step = 0; step < 60; ++step) {
    const mg::Tensor x = data.x.with_grad(), prediction = model(x);
    const mg::Tensor g = mg::gradients(mg::sum(prediction), {x}, {.create_graph = true})[0];
    const mg::Loss penalty = mg::make_loss("slope", mg::square(g));
    (mg::mean_squared_error(data.y, prediction) + weight * penalty).backward();
    adam.step();
    slope = penalty.value();
  }
  return slope;
}

/// The greatest eigenvalue of the Hessian of the loss over all weights, by power iteration.
double sharpness(mg::Sequential& model, const Data& data) {
  const auto weights = model.parameters();
  const auto loss = [&] { return mg::mean_squared_error(data.y, model(data.x)).tensor(); };
  std::vector<mg::Tensor> v;
  for (const auto& w : weights) v.push_back(mg::random_normal(w.shape(), mg::Seed{v.size() + 5}));
  double eigenvalue = 0;
  for (int i = 0; i < 30; ++i) {
    double squares = 0;
    for (const auto& t : v) squares += mg::sum(mg::square(t)).item();
    for (auto& t : v) t = t / std::sqrt(squares);
    const auto hv = mg::hvp(loss, weights, v);
    eigenvalue = 0;
    for (std::size_t k = 0; k < v.size(); ++k) eigenvalue += mg::sum(v[k] * hv[k]).item();
    v = hv;
  }
  return eigenvalue;
}

int main() {
  const Data data = make_data();
  for (const double weight : {0.0, 1.0}) {
    mg::Sequential model = make_model();
    const double slope = train(model, data, weight);
    fmt::print("penalty {}: loss {:.4f}, mean squared slope {:.5f}, greatest eigenvalue {:.3f}\n",
               weight, mg::mean_squared_error(data.y, model.predict(data.x)).value(), slope,
               sharpness(model, data));
  }

  mg::Sequential model = make_model();
  const auto each = mg::per_sequence_gradients(
      [&](const std::vector<mg::Tensor>& in) {
        return mg::mean_squared_error(in[1], model(in[0]));
      },
      {data.x, data.y}, model.parameters());
  fmt::print("norm of the gradient of each sequence's own loss, 3 to 20 steps:\n ");
  for (const double norm : each.norms.to_vector<double>()) fmt::print(" {:.3f}", norm);
  const auto clipped = each.clipped_mean(0.1);
  double squares = 0;
  for (const auto& g : clipped) squares += mg::sum(mg::square(g)).item();
  fmt::print("\nnorm of their mean, each clipped to 0.1: {:.4f}\n", std::sqrt(squares));
}
