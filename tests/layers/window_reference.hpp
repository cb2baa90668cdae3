#pragma once

#include <doctest/doctest.h>

#include <vector>

#include <maskgrad/maskgrad.hpp>

/// What the window layers are held against: plain loops over one sequence alone and unpadded.
namespace maskgrad::tests {

using Steps = std::vector<std::vector<double>>;  ///< of one sequence: [steps][features]

/// Zeros (or `value`) put around a sequence.
inline Steps padded(const Steps& x, std::int64_t before, std::int64_t after, std::size_t features,
                    double value = 0) {
  Steps y(static_cast<std::size_t>(before), std::vector<double>(features, value));
  y.insert(y.end(), x.begin(), x.end());
  y.insert(y.end(), static_cast<std::size_t>(after), std::vector<double>(features, value));
  return y;
}

/// What `same` puts around `steps` steps, before and after, in the words of Keras's documentation.
inline std::pair<std::int64_t, std::int64_t> same_padding(std::int64_t steps, std::int64_t span,
                                                          std::int64_t strides) {
  const auto results = steps / strides + (steps % strides != 0);
  const auto all = std::max<std::int64_t>(0, (results - 1) * strides + span - steps);
  return {all / 2, all - all / 2};
}

/// The valid steps of each sequence in their order.
inline std::vector<Steps> sequences(const Tensor& x) {
  const auto batch = x.size(0), time = x.size(1), features = x.size(2);
  const auto values = x.drop_mask("a test").to_vector<double>();
  std::vector<Steps> all(static_cast<std::size_t>(batch));
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t t = 0; t < time; ++t) {
      if (x.has_mask() && !(x.mask().rank() == 2 ? x.mask().at({b, t}) : x.mask().at({b}))) {
        continue;
      }
      const auto from = values.begin() + (b * time + t) * features;
      all[static_cast<std::size_t>(b)].emplace_back(from, from + features);
    }
  }
  return all;
}

/// Whether y has these values. A mask over steps is that of x where `stays`, else result k stands
/// at step k.
inline void compare(const Tensor& y, const std::vector<Steps>& expected, const Tensor& x,
                    bool stays) {
  const auto got = sequences(y);
  REQUIRE(got.size() == expected.size());
  std::vector<std::int64_t> lengths;
  for (std::size_t b = 0; b < got.size(); ++b) {
    lengths.push_back(static_cast<std::int64_t>(expected[b].size()));
    REQUIRE(got[b].size() == expected[b].size());
    for (std::size_t t = 0; t < got[b].size(); ++t) {
      REQUIRE(got[b][t].size() == expected[b][t].size());
      for (std::size_t f = 0; f < got[b][t].size(); ++f) {
        CHECK(got[b][t][f] == doctest::Approx(expected[b][t][f]).epsilon(1e-12));
      }
    }
  }
  REQUIRE(y.has_mask() == x.has_mask());
  if (!x.has_mask()) return;
  CHECK(y.mask() == (stays ? x.mask() : Mask::from_lengths(lengths, y.size(1))));
}

/// Five sequences of up to six steps: whole, left padding, holes, one step, none.
inline Tensor masked_steps(std::int64_t features) {
  const bool o = false, x = true;
  return random_normal({5, 6, features}, Seed{5}, DType::f64)
      .with_mask(Mask::keep({{x, x, x, x, x, x},
                             {o, o, x, x, x, x},
                             {x, o, x, x, o, x},
                             {o, x, o, o, o, o},
                             {o, o, o, o, o, o}}));
}

/// Two sequences of so many steps, without a mask.
inline Tensor plain_steps(std::int64_t steps, std::int64_t features) {
  return random_normal({2, steps, features}, Seed{6}, DType::f64);
}

/// A layer for f64, its biases no longer 0.
template <class L>
L with_weights(L layer, std::int64_t features) {
  build(layer, Spec::f64({any, any, features}), Seed{7});
  for (auto& p : parameters(layer)) {
    if (p.shape().rank() == 1) p.set(random_normal(p.shape(), Seed{8}, DType::f64));
  }
  return layer;
}

}  // namespace maskgrad::tests
