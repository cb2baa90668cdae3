#include <maskgrad/layers/model/layer_list.hpp>

#include <map>
#include <set>
#include <utility>

namespace maskgrad::detail {

void name_layers(std::string_view where, std::vector<AnyLayer>& layers) {
  std::set<std::string> taken;
  for (auto& layer : layers) {
    if (!layer.info().named) continue;
    if (!taken.insert(layer.info().name).second) {
      fail<OptionError>(where, "two layers are named '{}'; give each its own .name",
                        layer.info().name);
    }
  }
  std::map<std::string, int> count;
  for (auto& layer : layers) {
    auto& info = layer.info();
    if (info.named) continue;
    const std::string base = info.name;
    std::string name;
    do {
      const int n = count[base]++;
      name = n == 0 ? base : base + "_" + std::to_string(n);
    } while (taken.count(name));
    info.name = info.path = name;
  }
}

namespace {

/// The layer that decides under one kind of mask, and its role there; none: all stay inside a row.
template <class Role>
std::pair<const AnyLayer*, MaskRole> deciding(const std::vector<AnyLayer>& layers, Role&& role_of) {
  std::pair<const AnyLayer*, MaskRole> found{nullptr, MaskRole::propagates};
  for (const auto& layer : layers) {
    const MaskRole role = role_of(layer.contract());
    if (role == MaskRole::propagates) continue;
    found = {&layer, role};
    if (role != MaskRole::supports) break;  // the first that makes, ends or refuses a mask
  }
  return found;
}

}  // namespace

MaskContract contract_of_all(const std::vector<AnyLayer>& layers) {
  const auto steps = deciding(layers, [](const MaskContract& c) { return c.role; });
  const auto samples = deciding(layers, [](const MaskContract& c) { return c.under_sample(); });
  const auto full = deciding(layers, [](const MaskContract& c) { return c.under_full(); });
  MaskContract whole{.role = MaskRole::propagates, .why = "each of its layers stays inside a row"};
  if (steps.first) whole = steps.first->contract();
  if (whole.ways_out.empty() && full.first) whole.ways_out = full.first->contract().ways_out;
  whole.sample_role = samples.second;
  whole.full_role = full.second;
  return whole;
}

}  // namespace maskgrad::detail
