#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include <maskgrad/maskgrad.hpp>

// Sequences and models with a context, for the tests of streams.

namespace maskgrad::tests::stream_contexts {

using Ids = std::vector<std::int64_t>;

inline const Mask of_steps = Mask::from_lengths({5, 2, 4}, 5);
inline const Mask of_context = Mask::from_lengths({3, 6, 0}, 6);

inline Tensor numbers(const Shape& shape, std::uint64_t seed, const Mask& mask) {
  auto values = random_normal(shape, Seed{seed}, DType::f64).to_vector<double>();
  const auto there = mask.to_vector();
  const auto width = values.size() / there.size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!there[i / width]) values[i] = std::nan("");
  }
  return tensor(values, shape).with_mask(mask);
}

/// A decoder of what an encoder reads, which reads both ways; `calls` counts the encoder's.
inline Functional translator(std::int64_t* calls = nullptr) {
  Functional model;
  const auto y = model.input("y"), x = model.input("x");
  auto read = model.add(Lambda{[calls](const Tensor& t) {
                                 if (calls) ++*calls;
                                 return t * 1.0;
                               },
                               {.role = MaskRole::propagates, .why = "it maps values"}},
                        {x});
  read = model.add(Bidirectional{GRU{{.units = 2, .return_sequences = true}}}, {read});
  read = model.add(TransformerEncoder{{.intermediate_dim = 5, .num_heads = 2}}, {read});
  auto at = model.add(Dense{{.units = 4}}, {y});
  at = model.add(TransformerDecoder{{.intermediate_dim = 6, .num_heads = 2}}, {at, read});
  at = model.add(MultiHeadAttention{{.num_heads = 2, .key_dim = 3}}, {at, read});
  const auto state = model.add(GlobalSumPooling1D{}, {read});
  at = model.add(GRU{{.units = 4, .return_sequences = true}}, {at, state});
  model.outputs({model.add(Dense{{.units = 3}}, {at})});
  model.build({Spec::f64({any, any, 3}).masked(2), Spec::f64({any, any, 2}).masked(2)}, Seed{1});
  return model;
}

inline std::vector<double> valid(const Tensor& y, std::int64_t s) {
  const auto length = y.mask().lengths()[static_cast<std::size_t>(s)];
  return slice(slice(y, 0, s, s + 1), 1, 0, length).drop_mask("read").to_vector<double>();
}

inline void check_near(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(std::abs(a[i] - b[i]) <= 1e-12);
}

/// Of each sequence its outputs, pushed in unequal pieces.
inline std::vector<std::vector<double>> in_pieces(Stream& stream, const Tensor& y) {
  std::vector<std::vector<double>> got(3);
  const std::int64_t cuts[][3] = {{1, 0, 2}, {3, 1, 2}, {5, 2, 4}};
  Ids from(3);
  for (const auto& to : cuts) {
    Tensors parts;
    std::int64_t longest = 0;
    Ids lengths;
    for (std::size_t s = 0; s < 3; ++s) {
      lengths.push_back(to[s] - from[s]);
      longest = std::max(longest, lengths.back());
    }
    for (std::int64_t s = 0; s < 3; ++s) {
      const auto i = static_cast<std::size_t>(s);
      const Tensor own = slice(slice(y, 0, s, s + 1), 1, from[i], to[i]).drop_mask("cut");
      const Tensor rest = full({1, longest - lengths[i], 3}, std::nan(""), DType::f64);
      parts.push_back(concatenate({own, rest}, 1));
      from[i] = to[i];
    }
    const Tensor out = stream.push(concatenate(parts, 0).with_mask(Mask::from_lengths(lengths)));
    for (std::int64_t s = 0; s < 3; ++s) {
      for (const double v : valid(out, s)) got[static_cast<std::size_t>(s)].push_back(v);
    }
  }
  return got;
}

}  // namespace maskgrad::tests::stream_contexts
