// The question this library was born from: 34 sequences of up to 1,000 steps with 16 features, the
// last two ending early and padded; a GRU with a loss on every valid step and on no other. Whatever
// stands in the padding, everything that follows is the same to the last bit.

#include <fmt/core.h>

#include <cstring>
#include <limits>

#include <maskgrad/maskgrad.hpp>

namespace mg = maskgrad;

constexpr std::int64_t batch = 34, time_steps = 1000, features = 16;

struct Outcome {
  double loss = 0;
  std::vector<std::vector<float>> gradients;
};

/// The input, dense: the same steps each time, `padding` behind the ends.
mg::Tensor padded_input(const mg::Mask& mask, float padding) {
  auto values = mg::random_normal({batch, time_steps, features}, mg::Seed{7}).to_vector<float>();
  const auto valid = mask.to_vector();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!valid[i / features]) values[i] = padding;
  }
  return mg::tensor(values, {batch, time_steps, features});
}

/// A GRU and a Dense head, one step of training: the target is the running mean of feature 0.
Outcome run(const mg::Mask& mask, float padding) {
  mg::Sequential model{
      mg::GRU{{.units = 32, .return_sequences = true}},
      mg::Dense{{.units = 1}},
  };
  model.build(mg::Spec::f32({mg::any, mg::any, features}).masked(2), mg::Seed{1});
  const mg::Tensor x = padded_input(mask, padding).with_mask(mask);
  const mg::Tensor y = mg::slice(x, -1, 0, 1) * 0.5;
  const mg::Loss loss = mg::mean_squared_error(y, model(x));
  loss.backward();
  Outcome outcome{loss.value(), {}};
  for (const auto& p : model.parameters()) outcome.gradients.push_back(p.grad().to_vector<float>());
  fmt::print("  padding {:>8}: {} = {:.9f}\n", padding, loss.str(), loss.value());
  return outcome;
}

bool same_bits(const Outcome& a, const Outcome& b) {
  bool same = std::memcmp(&a.loss, &b.loss, sizeof a.loss) == 0;
  for (std::size_t i = 0; i < a.gradients.size(); ++i) {
    const auto bytes = a.gradients[i].size() * sizeof(float);
    same = same && std::memcmp(a.gradients[i].data(), b.gradients[i].data(), bytes) == 0;
  }
  return same;
}

int main() {
  std::vector<std::int64_t> lengths(batch, time_steps);
  lengths[batch - 2] = 640;
  lengths[batch - 1] = 250;
  const mg::Mask mask = mg::Mask::from_lengths(lengths);
  fmt::print("{} of {} steps are valid\n", mask.valid(), batch * time_steps);

  const Outcome zeros = run(mask, 0);
  const Outcome garbage = run(mask, 1e30f);
  const Outcome nan = run(mask, std::numeric_limits<float>::quiet_NaN());
  const bool same = same_bits(zeros, garbage) && same_bits(zeros, nan);
  fmt::print("loss and every gradient, bit by bit: {}\n\n", same ? "the same" : "DIFFERENT");

  // A convolution over time would mix steps with padding. It is told before there is any data.
  mg::Sequential chain{
      mg::Masking{{.mask_value = 0.0}},
      mg::GRU{{.units = 32, .return_sequences = true}},
      mg::Conv1D{{.filters = 8, .kernel_size = 3, .name = "smooth"}},
  };
  try {
    chain.build(mg::Spec::f32({batch, time_steps, features}), mg::Seed{1});
  } catch (const mg::MaskError& e) {
    fmt::print("{}\n", e.what());
  }
  return same ? 0 : 1;
}
