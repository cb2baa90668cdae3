#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <maskgrad/layers/onnx/foreign.hpp>
#include <maskgrad/layers/onnx/weight.hpp>
#include <maskgrad/layers/recurrent/bidirectional.hpp>
#include <maskgrad/layers/recurrent/gru.hpp>
#include <maskgrad/layers/recurrent/lstm.hpp>
#include <maskgrad/layers/recurrent/simple_rnn.hpp>
#include <maskgrad/layers/reshaping/reverse.hpp>

namespace maskgrad::onnx {
namespace {

/// What an operator of recurrence is here.
struct ForeignRun {
  std::int64_t gates = 1, units = 0, features = 0;
  std::size_t directions = 1;
  bool backwards = false, reset_after = false, use_bias = false;
  std::string activation = "tanh", recurrent_activation = "sigmoid";
  std::string key;
  std::vector<double> w, r, b;
};

/// The function of that name here; empty where there is none with its numbers.
std::string function_of(std::string name, double alpha, double beta) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (name == "hardsigmoid") {
    if (std::abs(beta - 0.5) > 1e-6) return {};
    if (std::abs(alpha - 0.2) < 1e-6) return "keras2_hard_sigmoid";
    return std::abs(alpha - 1.0 / 6) < 1e-6 ? "hard_sigmoid" : "";
  }
  if (name == "leakyrelu") return std::abs(alpha - 0.2) < 1e-6 ? "leaky_relu" : "";
  if (name == "elu") return alpha == 1 ? "elu" : "";
  if (name == "affine") return alpha == 1 && beta == 0 ? "linear" : "";
  for (const char* same : {"tanh", "sigmoid", "relu", "softsign", "softplus"}) {
    if (name == same) return name;
  }
  return {};
}

/// The activations; false where they are none of ours, or differ by direction.
bool read_functions(Foreign& to, const Node& node, ForeignRun& run) {
  const auto* names = to.find(node, "activations");
  if (!names || names->strings.empty()) return true;
  const auto* alphas = to.find(node, "activation_alpha");
  const auto* betas = to.find(node, "activation_beta");
  std::size_t alpha = 0, beta = 0;
  std::vector<std::string> all;
  for (const auto& name : names->strings) {
    std::string low = name;
    std::transform(low.begin(), low.end(), low.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const bool two = low == "hardsigmoid" || low == "affine";
    const bool one = two || low == "leakyrelu" || low == "elu";
    const auto next = [](const Attribute* list, std::size_t& at, bool has, double otherwise) {
      if (!has || !list || at >= list->floats.size()) return otherwise;
      return static_cast<double>(list->floats[at++]);
    };
    const double a = next(alphas, alpha, one,
                          low == "hardsigmoid" ? 0.2
                          : low == "leakyrelu" ? 0.01
                                               : 1);
    const double b = next(betas, beta, two, low == "hardsigmoid" ? 0.5 : 0);
    all.push_back(function_of(low, a, b));
    if (all.back().empty()) return false;
  }
  const std::size_t each = run.gates == 4 ? 3 : run.gates == 3 ? 2 : 1;
  if (all.size() != each * run.directions) return false;
  for (std::size_t i = each; i < all.size(); ++i) {
    if (all[i] != all[i - each]) return false;
  }
  run.activation = all[each == 1 ? 0 : 1];
  if (each > 1) run.recurrent_activation = all[0];
  return each < 3 || all[1] == all[2];
}

/// The weights as they stand in the file; false where they do not fit.
bool read_weights(Foreign& to, const Node& node, ForeignRun& run) {
  const auto* w = to.constant(node, 1);
  const auto* r = to.constant(node, 2);
  const auto* b = to.constant(node, 3);
  if (!w || !r || (to.given(node, 3) && !b) || w->dims.size() != 3 || r->dims.size() != 3) {
    return false;
  }
  run.units = r->dims[2];
  run.features = w->dims[2];
  if (run.units < 1 || run.units > (1 << 24) || run.features < 1) return false;
  const auto rows = run.units * run.gates, d = static_cast<std::int64_t>(run.directions);
  if (w->dims != std::vector<std::int64_t>{d, rows, run.features} ||
      r->dims != std::vector<std::int64_t>{d, rows, run.units} ||
      (b && b->dims != std::vector<std::int64_t>{d, 2 * rows})) {
    return false;
  }
  run.w = to.reals(*w);
  run.r = to.reals(*r);
  run.use_bias = b != nullptr;
  if (b) run.b = to.reals(*b);
  run.key = fmt::format("{} {} {} {}", node.op, w->name, r->name, b ? b->name : "");
  return !run.w.empty() && !run.r.empty() && (!b || !run.b.empty());
}

/// The part of direction i, [rows, columns], as Keras has it: [columns, gates].
std::vector<double> matrix_of(const ForeignRun& run, const std::vector<double>& all, std::size_t i,
                              std::int64_t columns) {
  const auto rows = run.units * run.gates, size = rows * columns;
  const auto begin = all.begin() + static_cast<std::int64_t>(i) * size;
  const Weight turned =
      transposed({DType::f64, {rows, columns}, std::vector<double>(begin, begin + size)}, {1, 0});
  return (run.gates == 4 ? parts_of(turned, {0, 2, 3, 1}) : turned).values;
}

std::vector<double> bias_of(const ForeignRun& run, std::size_t i) {
  const auto rows = run.units * run.gates;
  const auto begin = run.b.begin() + static_cast<std::int64_t>(i) * 2 * rows;
  std::vector<double> both(begin, begin + 2 * rows);
  if (run.gates == 3 && run.reset_after) return both;
  Weight sum{DType::f64, {rows}, std::vector<double>(both.begin(), both.begin() + rows)};
  for (std::size_t k = 0; k < sum.values.size(); ++k) {
    sum.values[k] += both[k + static_cast<std::size_t>(rows)];
  }
  return (run.gates == 4 ? parts_of(sum, {0, 2, 3, 1}) : sum).values;
}

template <class L, class O>
AnyLayer layer_with(O o, const ForeignRun& run) {
  o.activation = run.activation;
  o.use_bias = run.use_bias;
  o.return_sequences = o.return_state = true;
  if constexpr (requires { o.recurrent_activation = run.recurrent_activation; }) {
    o.recurrent_activation = run.recurrent_activation;
  }
  if (run.directions == 2) return AnyLayer(Bidirectional{L{o}});
  o.go_backwards = run.backwards;
  return AnyLayer(L{o});
}

AnyLayer layer_of(const ForeignRun& run) {
  if (run.gates == 4) return layer_with<LSTM>(LSTMOptions{.units = run.units}, run);
  if (run.gates == 3) {
    return layer_with<GRU>(GRUOptions{.units = run.units, .reset_after = run.reset_after}, run);
  }
  return layer_with<SimpleRNN>(SimpleRNNOptions{.units = run.units}, run);
}

/// Why the operator is none that is read here; empty where it is.
std::string refusal_of(Foreign& to, const Node& node, ForeignRun& run) {
  run.gates = node.op == "LSTM" ? 4 : node.op == "GRU" ? 3 : 1;
  const auto direction = to.text(node, "direction", "forward");
  run.directions = direction == "bidirectional" ? 2 : 1;
  run.backwards = direction == "reverse";
  run.reset_after = to.integer(node, "linear_before_reset", 0) != 0;
  if (!read_weights(to, node, run)) return "its weights are not in the file, or do not fit";
  if (!read_functions(to, node, run)) return "its activations are none of those here";
  if (to.find(node, "clip") || to.integer(node, "input_forget", 0) != 0) {
    return "it has clip or input_forget";
  }
  if (to.given(node, 7) && !to.is_zero(node.inputs[7])) return "it has peepholes";
  for (const std::size_t i : {5u, 6u}) {
    if (to.given(node, i) && !to.is_zero(node.inputs[i])) return "its initial state is not 0";
  }
  return {};
}

}  // namespace

void read_recurrent(Foreign& to, const Node& node) {
  const Traced* found = to.traced(node, 0);
  if (!found) return;
  const Traced x = *found;
  const bool batch_first = to.integer(node, "layout", 0) != 0;
  const Roles wanted = batch_first ? Roles{Role::batch, Role::time, Role::features}
                                   : Roles{Role::time, Role::batch, Role::features};
  ForeignRun run;
  const auto why = x.axes == wanted ? refusal_of(to, node, run)
                                    : "its input is not [time, batch, features] here";
  if (!why.empty()) return to.trouble(node, why);
  if (to.given(node, 4)) to.mask_by(node, node.inputs[4], x);
  Foreign::Weights weights;
  for (std::size_t i = 0; i < run.directions; ++i) {
    const std::string half = run.directions == 1 ? "" : i == 0 ? "forward/" : "backward/";
    weights[half + "kernel"] = matrix_of(run, run.w, i, run.features);
    weights[half + "recurrent_kernel"] = matrix_of(run, run.r, i, run.units);
    if (run.use_bias) weights[half + "bias"] = bias_of(run, i);
  }
  const auto made = to.call(layer_of(run), {x.node}, "", weights);
  const Role direction = run.directions == 2 ? Role::directions : Role::one;
  Traced y = x;
  y.node = run.backwards && to.is_read(node, 0) ? to.call(AnyLayer(Reverse{}), {made}) : made;
  y.side_by_side = run.directions == 2;
  y.axes = batch_first ? Roles{Role::batch, Role::time, direction, Role::features}
                       : Roles{Role::time, direction, Role::batch, Role::features};
  if (to.is_read(node, 0)) to.put(node.outputs[0], y);
  const int states = run.gates == 4 ? 2 : 1;
  for (int s = 1; s <= states; ++s) {
    if (!to.is_read(node, static_cast<std::size_t>(s))) continue;
    Traced state = x;
    state.node = made[s];
    if (run.directions == 2) state.second = made[s + states];
    state.axes = batch_first ? Roles{Role::batch, direction, Role::features}
                             : Roles{direction, Role::batch, Role::features};
    to.put(node.outputs[static_cast<std::size_t>(s)], state);
  }
}

}  // namespace maskgrad::onnx
