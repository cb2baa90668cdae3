#include <maskgrad/layers/layer/layer_list.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace maskgrad::detail {
namespace {

constexpr std::size_t most_listed = 20;

/// `0 'masking' (Masking), 1 'gru' (GRU)`: those that an error lists.
std::string listed(std::vector<AnyLayer>& layers) {
  std::string text;
  for (std::size_t i = 0; i < std::min(layers.size(), most_listed); ++i) {
    text += fmt::format("{}{} '{}' ({})", i == 0 ? "" : ", ", i, layers[i].info().name,
                        layers[i].kind());
  }
  return layers.size() > most_listed ? text + ", ..." : text;
}

}  // namespace

void refuse_type(AnyLayer& layer, std::string_view asked) {
  std::string text;
  std::size_t inside = 0;
  layer.visit(layer.info().path, [&](const LayerView& view) {
    if (view.info == &layer.info() || ++inside > most_listed) return;
    text += fmt::format("{}'{}' ({})", text.empty() ? ". It holds " : ", ", view.path, view.kind);
  });
  if (inside > most_listed) text += ", ...";
  fail<TypeError>("as", "the layer '{}' is a {}, not a {}{}", layer.info().path, layer.kind(),
                  asked, text);
}

AnyLayer& layer_at(std::string_view where, std::vector<AnyLayer>& layers, std::int64_t i) {
  if (i >= 0 && i < std::ssize(layers)) return layers[static_cast<std::size_t>(i)];
  fail<IndexError>(where, "there is no layer {}; it has {}: {}", i, layers.size(), listed(layers));
}

AnyLayer& layer_named(std::string_view where, std::vector<AnyLayer>& layers,
                      std::string_view name) {
  for (auto& layer : layers) {
    if (layer.info().name == name) return layer;
  }
  fail<IndexError>(where, "there is no layer '{}'; it has {}: {}", name, layers.size(),
                   listed(layers));
}

void refuse_kind(std::string_view where, std::vector<AnyLayer>& layers, std::string_view kind,
                 std::int64_t count) {
  fail<TypeError>(where, "{} of its layers are a {}; expected one. It has {}: {}", count, kind,
                  layers.size(), listed(layers));
}

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
  info.placed = false;
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

TimeContract then(const TimeContract& first, const AnyLayer& layer, std::int64_t contexts) {
  const TimeContract time = layer.time_over(contexts);
  return after(first, first.so_far ? under_sample(time, layer.contract()) : time);
}

TimeContract time_of_all(const std::vector<AnyLayer>& layers) {
  TimeContract all;
  for (const auto& layer : layers) all = then(all, layer);
  return all;
}

}  // namespace maskgrad::detail
