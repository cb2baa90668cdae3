#include <maskgrad/layers/model/layer_list.hpp>

#include <utility>

namespace maskgrad::detail {

void LayerNames::add(std::string_view where, AnyLayer& layer) {
  auto& info = layer.info();
  if (info.named) {
    if (taken_.insert(info.name).second) return;
    fail<OptionError>(where, "two layers are named '{}'; give each its own .name", info.name);
  }
  const std::string base = snake_case(layer.kind());
  int& n = count_[base];
  std::string name;
  do {
    name = n == 0 ? base : base + "_" + std::to_string(n);
    ++n;
  } while (!taken_.insert(name).second);
  info.name = info.path = name;
}

void name_layers(std::string_view where, std::vector<AnyLayer>& layers) {
  LayerNames names;
  for (const bool named : {true, false}) {
    for (auto& layer : layers) {
      if (layer.info().named == named) names.add(where, layer);
    }
  }
}

namespace {

/// The contract that decides under one kind of mask, and its role there; null: all stay inside a
/// row.
template <class Role>
std::pair<const MaskContract*, MaskRole> deciding(const std::vector<MaskContract>& contracts,
                                                  Role&& role_of) {
  std::pair<const MaskContract*, MaskRole> found{nullptr, MaskRole::propagates};
  for (const auto& contract : contracts) {
    const MaskRole role = role_of(contract);
    if (role == MaskRole::propagates) continue;
    found = {&contract, role};
    if (role != MaskRole::supports) break;  // the first that makes, ends or refuses a mask
  }
  return found;
}

}  // namespace

MaskContract contract_of_all(const std::vector<AnyLayer>& layers) {
  // Each is asked once: containers in containers would be asked twice as often with each level.
  std::vector<MaskContract> contracts;
  for (const auto& layer : layers) contracts.push_back(layer.contract());
  const auto steps = deciding(contracts, [](const MaskContract& c) { return c.role; });
  const auto samples = deciding(contracts, [](const MaskContract& c) { return c.under_sample(); });
  const auto full = deciding(contracts, [](const MaskContract& c) { return c.under_full(); });
  MaskContract whole{.role = MaskRole::propagates, .why = "each of its layers stays inside a row"};
  if (steps.first) whole = *steps.first;
  if (whole.ways_out.empty() && full.first) whole.ways_out = full.first->ways_out;
  whole.sample_role = samples.second;
  whole.full_role = full.second;
  return whole;
}

}  // namespace maskgrad::detail
