#include <maskgrad/layers/recurrent/cells.hpp>

#include <algorithm>

#include <maskgrad/layers/factory.hpp>
#include <maskgrad/layers/model/layer_list.hpp>

namespace maskgrad {
namespace {

/// f of the built-in cell that `cell` is; `otherwise` where it is none.
template <class R, class F>
R of_built_in(AnyLayer& cell, const F& f, R otherwise) {
  if (auto* c = cell.as_if<SimpleRNNCell>()) return f(*c);
  if (auto* c = cell.as_if<GRUCell>()) return f(*c);
  if (auto* c = cell.as_if<LSTMCell>()) return f(*c);
  if (auto* c = cell.as_if<StackedRNNCells>()) return f(*c);
  return otherwise;
}

}  // namespace

bool runs_whole(AnyLayer& cell) {
  return of_built_in(
      cell, [](auto& c) { return c.runs_whole(); }, false);
}

SteppedResult run_whole(AnyLayer& cell, const Tensor& x, const Tensors& states, bool backwards) {
  return of_built_in(
      cell, [&](auto& c) { return c.run_whole(x, states, backwards); }, SteppedResult{});
}

RecurrentSettings SimpleRNNCellOptions::settings() const {
  return {.cell = kernels::Cell::simple_rnn,
          .units = units,
          .activation = activation,
          .use_bias = use_bias,
          .kernel_initializer = kernel_initializer,
          .recurrent_initializer = recurrent_initializer,
          .bias_initializer = bias_initializer,
          .dropout = dropout,
          .recurrent_dropout = recurrent_dropout};
}

RecurrentSettings GRUCellOptions::settings() const {
  return {.cell = kernels::Cell::gru,
          .units = units,
          .activation = activation,
          .recurrent_activation = recurrent_activation,
          .use_bias = use_bias,
          .kernel_initializer = kernel_initializer,
          .recurrent_initializer = recurrent_initializer,
          .bias_initializer = bias_initializer,
          .dropout = dropout,
          .recurrent_dropout = recurrent_dropout,
          .reset_after = reset_after};
}

RecurrentSettings LSTMCellOptions::settings() const {
  return {.cell = kernels::Cell::lstm,
          .units = units,
          .activation = activation,
          .recurrent_activation = recurrent_activation,
          .use_bias = use_bias,
          .kernel_initializer = kernel_initializer,
          .recurrent_initializer = recurrent_initializer,
          .bias_initializer = bias_initializer,
          .unit_forget_bias = unit_forget_bias,
          .dropout = dropout,
          .recurrent_dropout = recurrent_dropout};
}

StackedRNNCells::StackedRNNCells(std::vector<AnyLayer> cells, std::string name)
    : info(kind, std::move(name)), cells_(std::move(cells)) {
  if (cells_.empty()) fail<OptionError>(kind, "it has no cells; give it one or more");
  for (const auto& cell : cells_) {
    if (!cell.state_sizes().empty()) continue;
    fail<OptionError>(kind, "{} is no cell: it has no state_sizes(); expected one, as GRUCell",
                      cell.kind());
  }
  detail::name_layers(kind, cells_);
}

std::vector<std::int64_t> StackedRNNCells::state_sizes() const {
  std::vector<std::int64_t> all;
  for (const auto& cell : cells_) {
    const auto own = cell.state_sizes();
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

Tensors StackedRNNCells::forward(const Tensors& inputs) {
  if (inputs.size() != 1 + state_sizes().size()) {
    fail<ShapeError>(kind, "{} inputs; expected x and {} states", inputs.size(),
                     state_sizes().size());
  }
  Tensors results{inputs[0]};
  auto state = inputs.begin() + 1;
  for (auto& cell : cells_) {
    const auto end = state + static_cast<std::ptrdiff_t>(cell.state_sizes().size());
    Tensors given{results[0]};
    given.insert(given.end(), state, end);
    const Tensors made = cell.call(given);
    results[0] = made[0];
    results.insert(results.end(), made.begin() + 1, made.end());
    state = end;
  }
  return results;
}

bool StackedRNNCells::runs_whole() {
  return info.built && std::all_of(cells_.begin(), cells_.end(),
                                   [](AnyLayer& cell) { return maskgrad::runs_whole(cell); });
}

SteppedResult StackedRNNCells::run_whole(const Tensor& x, const Tensors& states, bool backwards) {
  const LayerScope scope(kind, info.path);
  SteppedResult all{x, {}};
  auto state = states.begin();
  for (auto& cell : cells_) {
    const auto end = state + static_cast<std::ptrdiff_t>(cell.state_sizes().size());
    const auto one = maskgrad::run_whole(cell, all.output, Tensors(state, end), backwards);
    all.output = one.output;
    all.states.insert(all.states.end(), one.states.begin(), one.states.end());
    state = end;
  }
  return all;
}

StackedRNNCells StackedRNNCells::from_options(OptionReader& reader) {
  std::vector<JsonPart> texts;
  std::string name;
  reader(required("cells"), texts);
  reader("name", name);
  reader.finish();
  std::vector<AnyLayer> cells;
  for (const auto& text : texts) cells.push_back(detail::layer_from(kind, text));
  return StackedRNNCells(std::move(cells), name);
}

void StackedRNNCells::write_options(OptionWriter& writer) const {
  std::vector<JsonPart> texts;
  for (const auto& cell : cells_) texts.push_back(detail::part_of(cell));
  writer(required("cells"), texts);
  writer("name", info.named ? info.name : std::string());
}

}  // namespace maskgrad
