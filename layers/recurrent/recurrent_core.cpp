#include <maskgrad/layers/recurrent/recurrent_core.hpp>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/noise/dropout.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad::detail {

using kernels::Cell;

RecurrentCore::RecurrentCore(std::string_view kind, Cell cell, RecurrentSettings settings)
    : cell_(cell),
      settings_(std::move(settings)),
      activation_(activation(settings_.activation)),
      recurrent_activation_(activation(settings_.recurrent_activation)) {
  check::at_least(kind, "units", settings_.units, 1);
  check::rate(kind, "dropout", settings_.dropout);
  check::rate(kind, "recurrent_dropout", settings_.recurrent_dropout);
  const bool gates = settings_.recurrent_activation == "sigmoid" || cell_ == Cell::simple_rnn;
  const bool plain = settings_.activation == "tanh" && gates && settings_.recurrent_dropout == 0;
  if (settings_.recompute && !plain) {
    fail<OptionError>(kind,
                      ".recompute is for the activations tanh and sigmoid without "
                      ".recurrent_dropout; leave it out, or put the call into mg::checkpoint");
  }
}

void RecurrentCore::build(const Tensor& x, Builder& builder) {
  check::has_features(x);
  const auto u = settings_.units, g = kernels::gates_of(cell_) * u;
  kernel_ = builder.weight("kernel", {x.shape().back(), g}, settings_.kernel_initializer);
  recurrent_kernel_ = builder.weight("recurrent_kernel", {u, g}, settings_.recurrent_initializer);
  seed_ = builder.layer_seed();
  if (!settings_.use_bias) return;
  const Shape shape = two_biases() ? Shape{2, g} : Shape{g};
  bias_ = builder.weight("bias", shape, settings_.bias_initializer);
  if (cell_ == Cell::lstm && settings_.unit_forget_bias) {
    const NoGrad no_grad;
    const Tensor b = bias_.value();
    bias_.set(concatenate({slice(b, 0, 0, u), ones({u}, b.dtype()), slice(b, 0, 2 * u)}, 0));
  }
}

std::vector<std::int64_t> RecurrentCore::state_sizes() const {
  return std::vector<std::int64_t>(cell_ == Cell::lstm ? 2 : 1, settings_.units);
}

Tensor RecurrentCore::enter(const Tensor& x, bool whole_steps) const {
  check::features(x, kernel_.shape()[0]);
  return settings_.dropout > 0 ? dropout(x, settings_.dropout, seed_.of("inputs"), whole_steps) : x;
}

bool RecurrentCore::fused() const {
  const bool gates = settings_.recurrent_activation == "sigmoid" || cell_ == Cell::simple_rnn;
  return settings_.activation == "tanh" && gates &&
         (settings_.recurrent_dropout == 0 || !training());
}

Tensors RecurrentCore::run_whole(const Tensor& x, const Tensors& states, bool backwards,
                                 bool outputs) const {
  const bool lstm = cell_ == Cell::lstm, after = settings_.reset_after;
  const RecurrentWeights weights{kernel_, recurrent_kernel_,
                                 settings_.use_bias ? bias_.tensor() : Tensor()};
  std::shared_ptr<const PackedRecurrent> packed;
  if (auto* run = StreamRun::current(); run && !recording()) {
    packed = run->packed<PackedRecurrent>(
        this, [&](const PackedRecurrent& kept) { return kept.of(weights); },
        [&] { return std::make_shared<const PackedRecurrent>(cell_, after, weights); });
  }
  const auto [output, last] =
      recurrent(cell_, after, backwards, x, weights, {states[0], lstm ? states[1] : Tensor()},
                settings_.recompute, outputs, packed.get());
  return lstm ? Tensors{output, last.h, last.c} : Tensors{output, last.h};
}

Tensor RecurrentCore::project(const Tensor& x) const {
  if (!settings_.use_bias) return matmul(x, kernel_);
  return matmul(x, kernel_, two_biases() ? select(bias_, 0, 0) : bias_.tensor());
}

namespace {

/// The part of gate i in what all gates have of `units` each.
Tensor gate(const Tensor& all, std::int64_t i, std::int64_t units) {
  return slice(all, -1, i * units, (i + 1) * units);
}

}  // namespace

Tensors RecurrentCore::step(const Tensor& projected, const Tensors& states) const {
  const Tensor h = settings_.recurrent_dropout > 0
                       ? dropout(states[0], settings_.recurrent_dropout, seed_.of("states"))
                       : states[0];
  if (cell_ == Cell::gru) {
    const Tensor next = gru_step(projected, h);
    return {next, next};
  }
  const Tensor sums = projected + matmul(h, recurrent_kernel_);
  if (cell_ == Cell::lstm) return lstm_step(sums, states[1]);
  const Tensor next = activation_(sums);
  return {next, next};
}

Tensors RecurrentCore::lstm_step(const Tensor& sums, const Tensor& c) const {
  const auto u = settings_.units;
  const Tensor i = recurrent_activation_(gate(sums, 0, u));
  const Tensor f = recurrent_activation_(gate(sums, 1, u));
  const Tensor next = f * c + i * activation_(gate(sums, 2, u));
  const Tensor h = recurrent_activation_(gate(sums, 3, u)) * activation_(next);
  return {h, h, next};
}

Tensor RecurrentCore::gru_step(const Tensor& p, const Tensor& h) const {
  const auto u = settings_.units;
  const bool after = settings_.reset_after;
  const Tensor kernel = recurrent_kernel_;
  Tensor m = matmul(h, after ? kernel : slice(kernel, 1, 0, 2 * u));
  if (after && settings_.use_bias) m = m + select(bias_, 0, 1);
  const Tensor z = recurrent_activation_(gate(p, 0, u) + gate(m, 0, u));
  const Tensor r = recurrent_activation_(gate(p, 1, u) + gate(m, 1, u));
  const Tensor of_h = after ? r * gate(m, 2, u) : matmul(r * h, slice(kernel, 1, 2 * u, 3 * u));
  const Tensor candidate = activation_(gate(p, 2, u) + of_h);
  return z * h + (1 - z) * candidate;
}

Tensors RecurrentCore::forward_cell(const Tensors& inputs) const {
  const auto states = state_sizes().size();
  if (inputs.size() != 1 + states) {
    fail<ShapeError>(layer_title(), "{} inputs; expected x and {} states, [batch, {}] each",
                     inputs.size(), states, settings_.units);
  }
  return step(project(enter(inputs[0], false)), {inputs.begin() + 1, inputs.end()});
}

}  // namespace maskgrad::detail
