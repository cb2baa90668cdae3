#include <maskgrad/layers/onnx/recurrent_run.hpp>

// Cells with activations that ONNX's recurrent operators lack: step by step, by Scan.

namespace maskgrad::onnx {

using kernels::Cell;

namespace {

/// One step of a cell, written as it is computed here.
class ScanStep {
 public:
  ScanStep(const Call& call, const Run& run)
      : call_(call), g_(call.graph), run_(run), kernel_(call.put("recurrent_kernel")) {
    const auto units = run.settings.units;
    if (run.cell != Cell::gru || run.settings.reset_after) return;
    const auto columns = [&](std::int64_t from, std::int64_t to) {
      return g_.slice(kernel_, 1, g_.integers({from}), g_.integers({to}));
    };
    gates_kernel_ = columns(0, 2 * units);
    candidate_kernel_ = columns(2 * units, 3 * units);
  }

  /// What the steps read of x, in one product for all, [batch, time, gates].
  std::string projected(const std::string& x) {
    std::string bias = run_.settings.use_bias ? call_.put("bias") : "";
    const bool two = run_.cell == Cell::gru && run_.settings.reset_after && !bias.empty();
    if (two) {
      state_bias_ = g_.node("Gather", {bias, g_.integer(1)});
      bias = g_.node("Gather", {bias, g_.integer(0)});
    }
    return linear(call_, x, call_.put("kernel"), bias);
  }

  Names operator()(const Names& states, const std::string& values) const {
    if (run_.cell == Cell::gru) return {gru(states[0], values)};
    const auto sums = g_.node("Add", {values, g_.node("MatMul", {states[0], kernel_})});
    if (run_.cell == Cell::lstm) return lstm(sums, states[1]);
    return {bent(sums)};
  }

 private:
  std::string bent(const std::string& x) const {
    return activated(call_, x, run_.settings.activation);
  }
  std::string opened(const std::string& x) const {
    return activated(call_, x, run_.settings.recurrent_activation);
  }
  std::string times(const std::string& a, const std::string& b) const {
    return g_.node("Mul", {a, b});
  }
  std::string plus(const std::string& a, const std::string& b) const {
    return g_.node("Add", {a, b});
  }
  Names parts(const std::string& x, std::size_t count) const {
    return g_.nodes("Split", {x}, {attribute("axis", -1)}, count);
  }

  Names lstm(const std::string& sums, const std::string& c) const {
    const Names gates = parts(sums, 4);
    const auto next = plus(times(opened(gates[1]), c), times(opened(gates[0]), bent(gates[2])));
    return {times(opened(gates[3]), bent(next)), next};
  }
  std::string gru(const std::string& h, const std::string& values) const {
    const bool after = run_.settings.reset_after;
    const Names of_x = parts(values, 3);
    const auto of_h = linear(call_, h, after ? kernel_ : gates_kernel_, state_bias_);
    const Names gates = parts(of_h, after ? 3 : 2);
    const auto z = opened(plus(of_x[0], gates[0])), r = opened(plus(of_x[1], gates[1]));
    const auto kept =
        after ? times(r, gates[2]) : g_.node("MatMul", {times(r, h), candidate_kernel_});
    const auto candidate = bent(plus(of_x[2], kept));
    return plus(times(z, h), times(g_.node("Sub", {call_.real(1), z}), candidate));
  }

  const Call& call_;
  GraphBuilder& g_;
  const Run& run_;
  std::string kernel_, gates_kernel_, candidate_kernel_, state_bias_;
};

}  // namespace

Names run_scan(const Call& call, const Value& x, const Names& states, const Run& how) {
  auto& g = call.graph;
  ScanStep step(call, how);
  const auto read = how.backwards ? reversed(call, x) : x.name;
  const auto values = g.transpose(step.projected(read), {1, 0, 2});
  const auto size = g.concat({call.to.sizes_of(x, 0), g.integers({how.settings.units})}, 0);
  Names before;
  for (const auto& state : states) {
    before.push_back(state.empty() ? g.node("Expand", {call.real(0), size}) : state);
  }
  const Names made = g.scan(before, values, call.dtype(), step);
  Names results;
  for (std::size_t i = 0; i < states.size(); ++i) {
    Value all{g.transpose(made[states.size() + i], {1, 0, 2}), x.meta, x.mask};
    std::string last = made[i];
    if (x.masked_steps()) {  // padding stands behind the valid steps, and runs on
      const auto end = g.node("Max", {call.to.lengths(x), g.integer(1)});
      const auto at = g.unsqueeze(g.node("Sub", {end, g.integer(1)}), {1});
      last = g.node("GatherND", {all.name, at}, {attribute("batch_dims", 1)});
    }
    if (i == 0) results.push_back(how.backwards ? reversed(call, all) : all.name);
    results.push_back(last);
  }
  return results;
}

}  // namespace maskgrad::onnx
