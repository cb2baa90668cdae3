#include <maskgrad/layers/recurrent/recurrent_core.hpp>

#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/concatenate.hpp>
#include <maskgrad/autograd/ops/dropout.hpp>
#include <maskgrad/autograd/ops/matmul.hpp>
#include <maskgrad/autograd/ops/sequence.hpp>
#include <maskgrad/autograd/ops/slice.hpp>
#include <maskgrad/layers/check.hpp>

namespace maskgrad {
namespace {

using kernels::Cell;

std::int64_t gates_of(Cell cell) {
  return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1;
}

Tensors states_of(const RecurrentState& s) {
  return s.c.defined() ? Tensors{s.h, s.c} : Tensors{s.h};
}

}  // namespace

RecurrentCore::RecurrentCore(std::string_view kind, RecurrentSettings settings)
    : settings_(std::move(settings)),
      activation_(activation(settings_.activation)),
      recurrent_activation_(activation(settings_.recurrent_activation)),
      carried_(std::vector<std::int64_t>(static_cast<std::size_t>(states()), settings_.units)) {
  check::at_least(kind, "units", settings_.units, 1);
  check::rate(kind, "dropout", settings_.dropout);
  check::rate(kind, "recurrent_dropout", settings_.recurrent_dropout);
}

void RecurrentCore::build(const LayerInfo& info, std::string_view kind, const Tensor& x,
                          Builder& builder) {
  check::has_features(info, kind, x);
  const auto u = settings_.units, g = gates_of(settings_.cell) * u;
  kernel_ = builder.weight("kernel", {x.shape().back(), g}, settings_.kernel_initializer);
  recurrent_kernel_ = builder.weight("recurrent_kernel", {u, g}, settings_.recurrent_initializer);
  seed_ = builder.layer_seed();
  if (!settings_.use_bias) return;
  const bool two = settings_.cell == Cell::gru && settings_.reset_after;
  bias_ = builder.weight("bias", two ? Shape{2, g} : Shape{g}, settings_.bias_initializer);
  if (settings_.cell == Cell::lstm && settings_.unit_forget_bias) {
    const NoGrad no_grad;
    const Tensor b = bias_.value();
    bias_.set(concatenate({slice(b, 0, 0, u), ones({u}, b.dtype()), slice(b, 0, 2 * u)}, 0));
  }
}

bool RecurrentCore::fused() const {
  const bool gates =
      settings_.recurrent_activation == "sigmoid" || settings_.cell == Cell::simple_rnn;
  return settings_.activation == "tanh" && gates &&
         (settings_.recurrent_dropout == 0 || !training());
}

Tensors RecurrentCore::forward(const LayerInfo& info, std::string_view kind, const Tensors& inputs,
                               bool with_states) {
  check::layer_rank(info, kind, inputs[0], 3, "[batch, time, features]");
  check::features(info, kind, inputs[0], kernel_.shape()[0]);
  if (static_cast<int>(inputs.size()) > 1 + states()) {
    fail<ShapeError>(kind, "{} inputs; expected x and up to {} initial states", inputs.size(),
                     states());
  }
  const Tensor x = settings_.dropout > 0
                       ? dropout(inputs[0], settings_.dropout, seed_.of("inputs"), true)
                       : inputs[0];
  const RecurrentState initial = initial_state(kind, inputs);
  const bool by_kernels = x.is_meta() || x.shape()[1] == 0 || fused();
  const RecurrentResult result =
      by_kernels ? whole(x, initial, settings_.go_backwards) : by_steps(x, initial);
  if (settings_.stateful && !x.is_meta()) carried_.keep(states_of(result.state));
  Tensors outputs;
  if (!settings_.return_sequences) {
    outputs.push_back(last_output(x, result.state.h));
  } else {
    // Steps stand at their own positions; Keras's order is that in which they ran.
    const bool turn = settings_.go_backwards != flipped_;
    outputs.push_back(turn ? reverse(result.output) : result.output);
  }
  if (with_states) {
    outputs.push_back(result.state.h);
    if (result.state.c.defined()) outputs.push_back(result.state.c);
  }
  return outputs;
}

RecurrentResult RecurrentCore::whole(const Tensor& x, const RecurrentState& initial,
                                     bool backwards) const {
  return recurrent(settings_.cell, settings_.reset_after, backwards, x,
                   {kernel_, recurrent_kernel_, settings_.use_bias ? bias_.tensor() : Tensor()},
                   initial);
}

SteppedResult RecurrentCore::run_whole(const LayerInfo& info, std::string_view kind,
                                       const Tensor& x, const Tensors& states,
                                       bool backwards) const {
  check::features(info, kind, x, kernel_.shape()[0]);
  const auto result = whole(x, {states[0], states.size() > 1 ? states[1] : Tensor()}, backwards);
  return {result.output, states_of(result.state)};
}

Tensor RecurrentCore::project(const Tensor& x) const {
  if (!settings_.use_bias) return matmul(x, kernel_);
  const bool two = settings_.cell == Cell::gru && settings_.reset_after;
  return matmul(x, kernel_, two ? select(bias_, 0, 0) : bias_.tensor());
}

RecurrentResult RecurrentCore::by_steps(const Tensor& x, const RecurrentState& initial) const {
  const bool lstm = settings_.cell == Cell::lstm;
  const RecurrentState first{first_state(x, initial.h, settings_.units),
                             lstm ? first_state(x, initial.c, settings_.units) : Tensor()};
  auto result = run_by_steps(project(x), states_of(first), settings_.go_backwards,
                             [&](const Tensor& projected, const Tensors& states) {
                               const RecurrentState before{states[0], lstm ? states[1] : Tensor()};
                               const RecurrentState next = step(projected, before);
                               Tensors results = states_of(next);
                               results.insert(results.begin(), next.h);
                               return results;
                             });
  return {result.output, {result.states[0], lstm ? result.states[1] : Tensor()}};
}

Tensors RecurrentCore::forward_cell(const LayerInfo& info, std::string_view kind,
                                    const Tensors& inputs) const {
  check::features(info, kind, inputs[0], kernel_.shape()[0]);
  if (static_cast<int>(inputs.size()) != 1 + states()) {
    fail<ShapeError>(kind, "{} inputs; expected x and {} states, [batch, {}] each", inputs.size(),
                     states(), settings_.units);
  }
  const Tensor x =
      settings_.dropout > 0 ? dropout(inputs[0], settings_.dropout, seed_.of("inputs")) : inputs[0];
  const RecurrentState next =
      step(project(x), {inputs[1], inputs.size() > 2 ? inputs[2] : Tensor()});
  return next.c.defined() ? Tensors{next.h, next.h, next.c} : Tensors{next.h, next.h};
}

RecurrentState RecurrentCore::initial_state(std::string_view kind, const Tensors& inputs) const {
  Tensors given(inputs.begin() + 1, inputs.end());
  if (given.empty() && settings_.stateful && !inputs[0].is_meta()) {
    given = carried_.begin(kind, inputs[0].shape()[0]);
  }
  given.resize(2);
  return {given[0], given[1]};
}

RecurrentState RecurrentCore::step(const Tensor& p, const RecurrentState& state) const {
  const auto u = settings_.units;
  const Tensor h = settings_.recurrent_dropout > 0
                       ? dropout(state.h, settings_.recurrent_dropout, seed_.of("states"))
                       : state.h;
  auto gate = [u](const Tensor& t, std::int64_t i) { return slice(t, -1, i * u, (i + 1) * u); };
  const Tensor recurrent_kernel = recurrent_kernel_;
  if (settings_.cell == Cell::simple_rnn) {
    return {activation_(p + matmul(h, recurrent_kernel)), {}};
  }
  if (settings_.cell == Cell::lstm) {
    const Tensor a = p + matmul(h, recurrent_kernel);
    const Tensor i = recurrent_activation_(gate(a, 0)), f = recurrent_activation_(gate(a, 1));
    const Tensor c = f * state.c + i * activation_(gate(a, 2));
    return {recurrent_activation_(gate(a, 3)) * activation_(c), c};
  }
  Tensor m =
      matmul(h, settings_.reset_after ? recurrent_kernel : slice(recurrent_kernel, 1, 0, 2 * u));
  if (settings_.reset_after && settings_.use_bias) m = m + select(bias_, 0, 1);
  const Tensor z = recurrent_activation_(gate(p, 0) + gate(m, 0));
  const Tensor r = recurrent_activation_(gate(p, 1) + gate(m, 1));
  const Tensor candidate =
      activation_(gate(p, 2) + (settings_.reset_after
                                    ? r * gate(m, 2)
                                    : matmul(r * h, slice(recurrent_kernel, 1, 2 * u, 3 * u))));
  return {z * h + (1 - z) * candidate, {}};
}

MaskContract recurrent_contract_of(const RecurrentSettings& settings) {
  MaskContract contract = recurrent_contract;
  contract.after = {};  // the role says it, now that it is known
  if (settings.return_sequences) {
    contract.why = "runs each sequence's valid steps in order";
  } else {
    contract.role = MaskRole::consumes;
    contract.why = "gives the output of each sequence's last valid step";
  }
  return contract;
}

}  // namespace maskgrad
