#include <maskgrad/layers/onnx/recurrent_run.hpp>

#include <limits>

namespace maskgrad::onnx {

using kernels::Cell;

namespace {

/// A function of a step, as the recurrent operators of ONNX know it.
struct StepFunction {
  const char* name;
  double alpha = 0, beta = 0;
  int numbers = 0;  ///< of alpha and beta those that it has
};

const StepFunction* step_function(std::string_view name) {
  static const std::pair<std::string_view, StepFunction> all[] = {
      {"elu", {"Elu", 1, 0, 1}},
      {"hard_sigmoid", {"HardSigmoid", 1.0 / 6, 0.5, 2}},
      {"keras2_hard_sigmoid", {"HardSigmoid", 0.2, 0.5, 2}},
      {"leaky_relu", {"LeakyRelu", 0.2, 0, 1}},
      {"linear", {"Affine", 1, 0, 2}},
      {"relu", {"Relu"}},
      {"sigmoid", {"Sigmoid"}},
      {"softplus", {"Softplus"}},
      {"softsign", {"Softsign"}},
      {"tanh", {"Tanh"}},
  };
  for (const auto& [known, function] : all) {
    if (known == name) return &function;
  }
  return nullptr;
}

struct Functions {
  Names names;
  std::vector<float> alpha, beta;

  bool add(const std::string& name) {
    const auto* f = step_function(name);
    if (!f) return false;
    names.push_back(f->name);
    if (f->numbers > 0) alpha.push_back(static_cast<float>(f->alpha));
    if (f->numbers > 1) beta.push_back(static_cast<float>(f->beta));
    return true;
  }
};

Weight gates_of(Cell cell, const Weight& w) {
  return cell == Cell::lstm ? parts_of(w, {0, 3, 1, 2}) : w;  // i, f, c, o as i, o, f, c
}

/// W, R and B of the operator.
Names weights_of(const Call& call, const Run& run) {
  auto& g = call.graph;
  const auto units = run.settings.units, all = units * kernels::gates_of(run.cell);
  const auto matrix = [&](const char* name) {
    const Weight w = transposed(gates_of(run.cell, call.weight(name)), {1, 0});
    return reshaped(w, {1, w.dims[0], w.dims[1]});
  };
  Names names{g.weight("W", matrix("kernel")), g.weight("R", matrix("recurrent_kernel")), ""};
  if (!run.settings.use_bias) return names;
  const Weight bias = gates_of(run.cell, call.weight("bias"));
  const bool two = bias.dims.size() == 2;
  const Weight whole =
      two ? reshaped(bias, {1, 2 * all})
          : joined(reshaped(bias, {1, all}), constant_weight(bias.dtype, {1, all}, 0));
  names[2] = g.weight("B", whole);
  return names;
}

const char* operator_of(Cell cell) {
  return cell == Cell::lstm ? "LSTM" : cell == Cell::gru ? "GRU" : "RNN";
}

/// The operator over packed steps: outputs [batch, time, units], then the last states.
Names run_operator(const Call& call, const Value& x, const Names& states, const Run& run) {
  auto& g = call.graph;
  Functions functions;
  const bool gated = run.cell != Cell::simple_rnn;
  bool known = !gated || functions.add(run.settings.recurrent_activation);
  known = functions.add(run.settings.activation) && known;
  if (run.cell == Cell::lstm) functions.add(run.settings.activation);
  if (!known) return run_scan(call, x, states, run);
  Names inputs{g.transpose(x.name, {1, 0, 2})};
  for (const auto& name : weights_of(call, run)) inputs.push_back(name);
  inputs.push_back(x.masked_steps() ? call.to.lengths_of_one(x) : "");
  for (const auto& state : states) {
    inputs.push_back(state.empty() ? "" : g.unsqueeze(state, {0}));
  }
  while (inputs.back().empty()) inputs.pop_back();
  Attributes attributes{attribute("hidden_size", run.settings.units),
                        attribute("direction", std::string(run.backwards ? "reverse" : "forward")),
                        attribute("activations", functions.names)};
  if (!functions.alpha.empty())
    attributes.push_back(attribute("activation_alpha", functions.alpha));
  if (!functions.beta.empty()) attributes.push_back(attribute("activation_beta", functions.beta));
  if (run.cell == Cell::gru) {
    attributes.push_back(attribute("linear_before_reset", run.settings.reset_after ? 1 : 0));
  }
  Names results =
      g.nodes(operator_of(run.cell), inputs, attributes, run.cell == Cell::lstm ? 3 : 2);
  results[0] = g.transpose(g.squeeze(results[0], {1}), {1, 0, 2});
  for (std::size_t i = 1; i < results.size(); ++i) results[i] = g.squeeze(results[i], {0});
  return results;
}

/// Of a sequence without steps the state is the one before it.
std::string state_behind(const Call& call, const Value& x, const std::string& state,
                         const std::string& initial) {
  if (!x.masked_steps()) return state;
  auto& g = call.graph;
  const auto some = g.node("Greater", {call.to.lengths(x), g.integer(0)});
  return g.where(g.unsqueeze(some, {1}), state, initial.empty() ? call.real(0) : initial);
}

MaskRef mask_of_last(const Call& call, const Value& x) {
  if (!x.masked_steps()) return x.mask;
  const auto some = call.graph.node("Greater", {call.to.lengths(x), call.graph.integer(0)});
  return call.to.mask_by_values(1, some, x.name);
}

}  // namespace

RunResult run(const Call& call, const Value& x, const Values& initial, const Run& how) {
  const Value steps = call.to.packed(x);
  Names before;
  for (const auto& state : initial) before.push_back(call.to.cleaned(state).name);
  before.resize(how.cell == Cell::lstm ? 2 : 1);
  const Names results = run_operator(call, steps, before, how);
  RunResult result;
  for (std::size_t i = 1; i < results.size(); ++i) {
    result.states.push_back(state_behind(call, steps, results[i], before[i - 1]));
  }
  if (!how.sequences) {
    result.output = result.states[0];
    result.mask = mask_of_last(call, x);
    return result;
  }
  Value y{results[0], call.metas[0], steps.mask};
  if (how.flipped) y.name = reversed(call, y);
  y.meta = rows::make_meta({x.size(0), x.size(1), how.settings.units}, x.dtype());
  result.output = call.to.unpacked(y, x).name;
  result.mask = x.mask;
  return result;
}

std::string reversed(const Call& call, const Value& x) {
  auto& g = call.graph;
  if (x.masked_steps()) {
    const auto lengths = g.node("Max", {call.to.lengths(x), g.integer(1)});
    return g.node("ReverseSequence", {x.name, lengths},
                  {attribute("batch_axis", 0), attribute("time_axis", 1)});
  }
  return g.node("Slice", {x.name, g.integers({-1}), g.integers({std::numeric_limits<int>::min()}),
                          g.integers({1}), g.integers({-1})});
}

}  // namespace maskgrad::onnx
