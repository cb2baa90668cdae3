#include <maskgrad/layers/recurrent/cells.hpp>

#include <algorithm>

#include <maskgrad/layers/layer/description.hpp>
#include <maskgrad/layers/layer/layer_list.hpp>

namespace maskgrad {

Tensors detail::step_of(AnyLayer& cell, const Tensor& x, const Tensors& states) {
  Tensors inputs{x};
  inputs.insert(inputs.end(), states.begin(), states.end());
  return cell.call(inputs);
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

template <class F>
Tensors StackedRNNCells::through_all(const Tensor& x, const Tensors& states, const F& run) {
  Tensors results{x};
  auto state = states.begin();
  for (auto& cell : cells_) {
    const auto end = state + static_cast<std::ptrdiff_t>(cell.state_sizes().size());
    const Tensors made = run(cell, results[0], Tensors(state, end));
    results[0] = made[0];
    results.insert(results.end(), made.begin() + 1, made.end());
    state = end;
  }
  return results;
}

Tensors StackedRNNCells::forward(const Tensors& inputs) {
  const auto expected = state_sizes().size();
  if (inputs.size() != 1 + expected) {
    fail<ShapeError>(kind, "{} inputs; expected x and {} states", inputs.size(), expected);
  }
  return through_all(inputs[0], {inputs.begin() + 1, inputs.end()}, detail::step_of);
}

bool StackedRNNCells::runs_whole() const {
  return info.built && std::all_of(cells_.begin(), cells_.end(),
                                   [](const AnyLayer& cell) { return cell.runs_whole(); });
}

Tensors StackedRNNCells::run_whole(const Tensor& x, const Tensors& states, bool backwards) {
  return through_all(x, states, [backwards](AnyLayer& cell, const Tensor& in, const Tensors& own) {
    return cell.run_whole(in, own, backwards);
  });
}

StackedRNNCells StackedRNNCells::from_options(extend::OptionReader& reader) {
  std::vector<extend::JsonPart> texts;
  std::string name;
  reader(extend::required("cells"), texts);
  reader("name", name);
  reader.finish();
  std::vector<AnyLayer> cells;
  for (const auto& text : texts) cells.push_back(detail::layer_from(kind, text));
  return StackedRNNCells(std::move(cells), name);
}

void StackedRNNCells::write_options(extend::OptionWriter& writer) const {
  std::vector<extend::JsonPart> texts;
  for (const auto& cell : cells_) texts.push_back(detail::part_of(cell));
  writer(extend::required("cells"), std::move(texts));
  writer("name", info.named ? info.name : std::string());
}

}  // namespace maskgrad
