#include <optional>

#include <maskgrad/layers/onnx/recurrent_run.hpp>
#include <maskgrad/layers/recurrent/bidirectional.hpp>
#include <maskgrad/layers/recurrent/gru.hpp>
#include <maskgrad/layers/recurrent/lstm.hpp>
#include <maskgrad/layers/recurrent/rnn.hpp>
#include <maskgrad/layers/recurrent/simple_rnn.hpp>

namespace maskgrad::onnx {

using kernels::Cell;

namespace {

Values results_of(const Call& call, const RunResult& result) {
  Values values{call.result(result.output, result.mask)};
  for (std::size_t i = 1; i < call.metas.size(); ++i) {
    values.push_back(call.result(result.states[i - 1], call.x().mask, i));
  }
  return values;
}

Values states_of(const Values& inputs) {
  return {inputs.begin() + 1, inputs.end()};
}

Values refuse_stateful(const Call& call) {
  return call.refuse("it is stateful, and a run of an ONNX file begins anew each time",
                     "without .stateful, with .return_state and initial states as inputs");
}

template <class L>
Run run_of(const L& layer, Cell cell) {
  const auto& o = layer.options();
  return {.cell = cell,
          .settings = detail::settings_of(o),
          .backwards = o.go_backwards,
          .flipped = o.go_backwards,
          .sequences = o.return_sequences};
}

template <class L>
Values write_layer(const Call& call, Cell cell) {
  const auto& layer = *call.layer.as<L>();
  if (layer.options().stateful) return refuse_stateful(call);
  return results_of(call, run(call, call.x(), states_of(call.inputs), run_of(layer, cell)));
}

/// The run of a cell; false for one that has no operator.
bool run_of_cell(AnyLayer& cell, Run& run) {
  const auto is = [&]<class C>(const C* own, Cell which) {
    if (!own) return false;
    run.cell = which;
    run.settings = detail::settings_of(own->options());
    return true;
  };
  return is(cell.as_if<SimpleRNNCell>(), Cell::simple_rnn) ||
         is(cell.as_if<GRUCell>(), Cell::gru) || is(cell.as_if<LSTMCell>(), Cell::lstm);
}

}  // namespace

Values write_simple_rnn(const Call& call) {
  return write_layer<SimpleRNN>(call, Cell::simple_rnn);
}
Values write_gru(const Call& call) {
  return write_layer<GRU>(call, Cell::gru);
}
Values write_lstm(const Call& call) {
  return write_layer<LSTM>(call, Cell::lstm);
}

Values write_rnn(const Call& call) {
  auto& layer = *call.layer.as<RNN>();
  const auto& o = layer.options();
  if (o.stateful) return refuse_stateful(call);
  Run how{.backwards = o.go_backwards, .flipped = o.go_backwards, .sequences = o.return_sequences};
  std::optional<RunResult> result;
  RNN::each_layer(layer, [&](auto&&, AnyLayer& cell) {
    if (!run_of_cell(cell, how)) return;
    call.graph.enter(cell.info().path);
    const Call of_cell{call.to, call.graph, cell, call.inputs, call.metas};
    result = run(of_cell, call.x(), states_of(call.inputs), how);
    call.graph.enter(call.layer.info().path);
  });
  if (result) return results_of(call, *result);
  return call.refuse("its cell has no operator in ONNX",
                     "SimpleRNNCell, GRUCell or LSTMCell, one RNN behind the other");
}

namespace {

/// The run of the layer in a Bidirectional, which then says in which order.
bool run_of_layer(AnyLayer& layer, Run& how, bool& stateful) {
  const auto is = [&]<class L>(const L* own, Cell cell) {
    if (!own) return false;
    how = run_of(*own, cell);
    stateful = own->options().stateful;
    return true;
  };
  return is(layer.as_if<SimpleRNN>(), Cell::simple_rnn) || is(layer.as_if<GRU>(), Cell::gru) ||
         is(layer.as_if<LSTM>(), Cell::lstm);
}

std::string merge_mode(const AnyLayer& layer) {
  extend::OptionWriter writer;
  layer.write_options(writer);
  std::string mode;
  extend::OptionReader reader("Bidirectional", writer.json());
  reader("merge_mode", mode);
  return mode;
}

std::string merged(const Call& call, const std::string& mode, const Names& both) {
  auto& g = call.graph;
  if (mode == "sum") return g.node("Add", both);
  if (mode == "mul") return g.node("Mul", both);
  if (mode == "ave") return g.node("Mul", {g.node("Add", both), call.real(0.5)});
  return g.concat(both, -1);
}

}  // namespace

Values write_bidirectional(const Call& call) {
  const std::string mode = merge_mode(call.layer);
  const auto count = static_cast<std::ptrdiff_t>(call.inputs.size() - 1) / 2;
  std::vector<RunResult> results;
  bool known = true, stateful = false, flipped = false;
  Bidirectional::each_layer(*call.layer.as<Bidirectional>(), [&](auto&&, AnyLayer& half) {
    Run how;
    known = known && run_of_layer(half, how, stateful);
    if (!known || stateful) return;
    // Both give their outputs in the order of the first.
    if (results.empty()) flipped = how.flipped;
    how.flipped = flipped;
    const auto begin = call.inputs.begin() + 1 + (results.empty() ? 0 : count);
    call.graph.enter(half.info().path);
    const Call of_half{call.to, call.graph, half, call.inputs, call.metas};
    results.push_back(run(of_half, call.x(), Values(begin, begin + count), how));
    call.graph.enter(call.layer.info().path);
  });
  if (stateful) return refuse_stateful(call);
  if (!known) {
    return call.refuse("the layer in it has no operator in ONNX", "SimpleRNN, GRU or LSTM in it");
  }
  Names outputs{results[0].output, results[1].output};
  if (mode != "none") outputs = {merged(call, mode, outputs)};
  Values values;
  for (const auto& name : outputs) {
    values.push_back(call.result(name, results[0].mask, values.size()));
  }
  for (const auto& half : results) {
    for (std::size_t i = 0; values.size() < call.metas.size() && i < half.states.size(); ++i) {
      values.push_back(call.result(half.states[i], call.x().mask, values.size()));
    }
  }
  return values;
}

}  // namespace maskgrad::onnx
