#pragma once

#include <memory>
#include <string>
#include <vector>

#include <maskgrad/maskgrad.hpp>

#include "bench/peaks.hpp"
#include "bench/valid.hpp"

namespace maskgrad::bench {

/// A size of a recurrent benchmark, as in `b34_t1000_f16_h64`.
struct Size {
  std::int64_t batch, time, features, units;
  std::string name() const;
};
inline const std::vector<Size> sizes{
    {34, 1000, 16, 64}, {32, 128, 64, 128}, {64, 256, 128, 256}, {16, 512, 256, 512}};

/// The first size, shorter and longer: time a row must stay the same.
inline const std::vector<Size> other_lengths{{34, 125, 16, 64}, {34, 8000, 16, 64}};

/// Random input under such a mask; without a mask where all is valid.
Tensor input_of(const Size& size, const Valid& valid);
/// Flop of a training step by the convention 3 * 2 * gates * units * (features + units) a valid
/// step; an inference a third.
double training_flop(const Size& size, int gates, const Tensor& x);

/// `layer` ("GRU", "LSTM"), as `shape` says (plain, bidirectional, stacked2), and a Dense head
/// of 8.
Sequential model_of(const std::string& layer, const std::string& shape, const Size& size);

/// A training step as a user writes it: a masked squared error, backward, Adam.
class Training {
 public:
  Training(Sequential model, const Size& size, const Tensor& x);
  void step();

 private:
  Sequential model_;
  Tensor x_, target_;
  Adam adam_;
};

int print_memory();

}  // namespace maskgrad::bench
