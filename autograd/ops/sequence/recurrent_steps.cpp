#include <maskgrad/autograd/ops/sequence/recurrent_steps.hpp>

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/sequence/padded_steps.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/rearrange.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>

namespace maskgrad::detail {
namespace {

using kernels::Cell;

constexpr std::string_view steps_op = "recurrent";

/// Columns of gate `i`.
Tensor gate(const Tensor& sums, std::int64_t i, std::int64_t units) {
  return slice(sums, 1, i * units, (i + 1) * units);
}

/// One step of a cell; `xw` is x times the kernel, with the input's bias.
struct Step {
  Cell cell;
  bool reset_after;
  std::int64_t units;
  Tensor recurrent_kernel, recurrent_bias;

  RecurrentState operator()(const Tensor& xw, const RecurrentState& s) const {
    if (cell == Cell::gru) return {gru(xw, s.h), {}};
    const Tensor sums = xw + matmul(s.h, recurrent_kernel);
    if (cell == Cell::simple_rnn) return {tanh(sums), {}};
    const auto at = [&](std::int64_t i) { return gate(sums, i, units); };
    const Tensor c = sigmoid(at(1)) * s.c + sigmoid(at(0)) * tanh(at(2));
    return {sigmoid(at(3)) * tanh(c), c};
  }

  Tensor gru(const Tensor& xw, const Tensor& h) const {
    const auto u = units;
    const Tensor hr = matmul(h, recurrent_kernel, recurrent_bias);
    const Tensor z = sigmoid(gate(xw, 0, u) + gate(hr, 0, u));
    const Tensor r = sigmoid(gate(xw, 1, u) + gate(hr, 1, u));
    const Tensor inner =
        reset_after ? r * gate(hr, 2, u) : matmul(r * h, gate(recurrent_kernel, 2, u));
    return z * h + (1 - z) * tanh(gate(xw, 2, u) + inner);
  }
};

/// A state [count, units]; the stored rows alone, as the sequences have it.
Tensor begin(const Tensor& state, std::int64_t count, std::int64_t units, DType type) {
  if (!state.defined()) return zeros({count, units}, type);
  return rearrange::regroup(steps_op, state, {count, units}, Mask());
}

}  // namespace

RecurrentResult recurrent_by_steps(Cell cell, bool reset_after, bool go_backwards,
                                   const Sequences& sequences, const Tensor& x,
                                   const RecurrentWeights& weights, const RecurrentState& initial) {
  const PaddedSteps steps(sequences, go_backwards);
  const auto units = weights.recurrent_kernel.shape()[0], count = steps.count();
  Tensor bias = weights.bias, recurrent_bias;
  if (bias.defined() && bias.rank() == 2) {
    recurrent_bias = squeeze(slice(bias, 0, 1, 2), 0);
    bias = squeeze(slice(bias, 0, 0, 1), 0);
  }
  const Tensor xw = steps.of(steps_op, matmul(x, weights.kernel, bias));
  const Step step{cell, reset_after, units, weights.recurrent_kernel, recurrent_bias};
  const bool lstm = cell == Cell::lstm;
  RecurrentState s{begin(initial.h, count, units, x.dtype()),
                   lstm ? begin(initial.c, count, units, x.dtype()) : Tensor()};
  std::vector<Tensor> out;
  for (std::int64_t t = 0; t < steps.longest(); ++t) {
    const Tensor alive = steps.alive(t);
    const RecurrentState next = step(squeeze(slice(xw, 1, t, t + 1), 1), s);
    s = {where(alive, next.h, s.h), lstm ? where(alive, next.c, s.c) : Tensor()};
    out.push_back(s.h);
  }
  const Shape out_shape{x.shape()[0], x.shape()[1], units}, state_shape{x.shape()[0], units};
  const Mask samples = sample_mask(x);
  const Tensor all = out.empty() ? zeros({count, 0, units}, x.dtype()) : stack(out, 1);
  const auto as_state = [&](const Tensor& state) {
    return rearrange::regroup(steps_op, state, state_shape, samples);
  };
  return {steps.back(steps_op, all, out_shape, x.mask()),
          {as_state(s.h), lstm ? as_state(s.c) : Tensor()}};
}

}  // namespace maskgrad::detail
