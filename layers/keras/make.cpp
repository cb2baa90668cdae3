#include <maskgrad/layers/keras/make.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/layers/basic/time_distributed.hpp>
#include <maskgrad/layers/keras/options.hpp>
#include <maskgrad/layers/recurrent/bidirectional.hpp>
#include <maskgrad/layers/recurrent/gru.hpp>
#include <maskgrad/layers/recurrent/lstm.hpp>
#include <maskgrad/layers/recurrent/rnn.hpp>
#include <maskgrad/layers/recurrent/simple_rnn.hpp>
#include <maskgrad/layers/registry/factory.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::string_view tell_it =
    "tell what it is: load_keras(file, {.custom = {{\"NAME\", factory}}})";

void keras_trouble(KerasMaking& making, const KerasLayer& layer, std::string_view text) {
  making.troubles.push_back(fmt::format("{} '{}': {}", layer.shown(), layer.name, text));
}

// What computes otherwise than the options that are taken say.
bool has_what_is_not_here(const KerasLayer& layer, KerasMaking& making) {
  const auto& c = layer.config;
  const bool windows = layer.class_name.ends_with("Conv1D") || layer.class_name == "MaxPooling1D" ||
                       layer.class_name == "AveragePooling1D";
  if (windows && config_text(c, "data_format") == "channels_first") {
    keras_trouble(making, layer, "data_format is channels_first; save it with channels_last");
    return true;
  }
  if (config_flag(c, "time_major")) {
    keras_trouble(making, layer, "time_major is true; save it with the batch first");
    return true;
  }
  if (const Json* axes = config_at(c, "attention_axes")) {
    if (whole_number(*axes) != 1) {
      keras_trouble(making, layer, "attention over other axes than that of the steps");
      return true;
    }
  }
  if (config_flag(c, "rms_scaling")) {
    keras_trouble(making, layer, "rms_scaling is true; use RMSNormalization");
    return true;
  }
  return false;
}

AnyLayer own_made(const OwnLayer& own, const std::string& name) {
  OwnLayer named = own;
  if (!name.empty()) named.options["name"] = keras_path_name(name);
  return make_layer(named.kind, json_text(named.options));
}

// With the activation that is a layer behind it.
AnyLayer with_activation(const OwnLayer& own, const OwnLayer& activation, const std::string& name) {
  OwnLayer both{"Sequential",
                {{"layers", Json::array({own.description(), activation.description()})}}};
  return own_made(both, name);
}

template <class... Ls>
std::optional<AnyLayer> both_ways(AnyLayer& there, AnyLayer& back,
                                  const BidirectionalOptions& options) {
  std::optional<AnyLayer> made;
  const auto take = [&]<class L>(const L* layer) {
    if (layer) made = AnyLayer(Bidirectional(there, AnyLayer(layer->mirrored()), options));
  };
  (take(back.as_if<Ls>()), ...);
  return made;
}

std::optional<AnyLayer> make_bidirectional(const KerasLayer& layer, KerasMaking& making) {
  KerasLayer forward = layer.inner.at(0);
  // The backward layer as one that runs forward, for its mirror image runs backward.
  KerasLayer backward = layer.inner.size() > 1 ? layer.inner[1] : forward;
  const bool own = layer.inner.size() > 1;
  if (own &&
      config_flag(backward.config, "go_backwards") == config_flag(forward.config, "go_backwards")) {
    keras_trouble(making, layer, "both of its layers run the same way");
    return {};
  }
  if (own) backward.config["go_backwards"] = config_flag(forward.config, "go_backwards");
  forward.name = backward.name = "";
  auto there = make_keras_layer(forward, making), back = make_keras_layer(backward, making);
  if (!there || !back) return {};
  const Json* mode = config_at(layer.config, "merge_mode");
  BidirectionalOptions options{mode && mode->is_string() ? mode->get<std::string>() : "none",
                               keras_path_name(layer.name)};
  if (!layer.config.contains("merge_mode")) options.merge_mode = "concat";
  auto made = both_ways<SimpleRNN, GRU, LSTM, RNN>(*there, *back, options);
  if (!made)
    keras_trouble(making, layer,
                  fmt::format("it wraps {}, which is no recurrent layer here", there->kind()));
  return made;
}

std::optional<AnyLayer> make_rnn(const KerasLayer& layer, KerasMaking& making) {
  std::vector<AnyLayer> cells;
  const KerasLayer* cell = &layer.inner.at(0);
  if (cell->class_name == "StackedRNNCells") {
    for (const auto& inner : cell->inner) {
      if (auto made = make_keras_layer(inner, making)) cells.push_back(std::move(*made));
    }
    if (cells.size() != cell->inner.size() || cells.empty()) return {};
    cells = {AnyLayer(StackedRNNCells(std::move(cells)))};
  } else if (auto made = make_keras_layer(*cell, making)) {
    cells.push_back(std::move(*made));
  } else {
    return {};
  }
  const auto& c = layer.config;
  return AnyLayer(RNN(cells[0], {.return_sequences = config_flag(c, "return_sequences"),
                                 .return_state = config_flag(c, "return_state"),
                                 .go_backwards = config_flag(c, "go_backwards"),
                                 .stateful = config_flag(c, "stateful"),
                                 .name = keras_path_name(layer.name)}));
}

std::optional<AnyLayer> make_time_distributed(const KerasLayer& layer, KerasMaking& making) {
  const auto& inner = layer.inner.at(0);
  auto made = inner.model ? make_keras_model(inner, making) : make_keras_layer(inner, making);
  if (!made) return {};
  return AnyLayer(TimeDistributed(std::move(*made), {.name = keras_path_name(layer.name)}));
}

}  // namespace

std::string keras_path_name(std::string name) {
  std::ranges::replace(name, '/', '.');
  return name;
}

AnyLayer under_name(AnyLayer layer, const std::string& name) {
  auto& info = layer.info();
  info.name = info.path = keras_path_name(name);
  info.named = true;
  return layer;
}

const KerasFactory* told_of(const KerasLayer& layer, const KerasOptions& options) {
  for (const auto& key : {layer.name, layer.class_name, layer.shown()}) {
    const auto found = options.custom.find(key);
    if (found != options.custom.end() && found->second) return &found->second;
  }
  return nullptr;
}

std::optional<AnyLayer> make_keras_layer(const KerasLayer& layer, KerasMaking& making) {
  try {
    if (const auto* factory = told_of(layer, making.options)) {
      return under_name((*factory)({layer.shown(), layer.name, json_text(layer.config)}),
                        layer.name);
    }
    if (layer.model) return make_keras_model(layer, making);
    if (has_what_is_not_here(layer, making)) return {};
    const bool wraps = !layer.inner.empty();
    if (wraps && layer.class_name == "Bidirectional") return make_bidirectional(layer, making);
    if (wraps && layer.class_name == "RNN") return make_rnn(layer, making);
    if (wraps && layer.class_name == "TimeDistributed") return make_time_distributed(layer, making);
    if (auto made = make_keras_scaling(layer, making)) return made;
    std::optional<OwnLayer> activation;
    const auto own = own_layer_of(layer, making, activation);
    if (own)
      return activation ? with_activation(*own, *activation, layer.name)
                        : own_made(*own, layer.name);
  } catch (const Error& error) {
    keras_trouble(making, layer, error.what());
    return {};
  }
  if (layer.class_name == "Lambda") {
    keras_trouble(making, layer,
                  fmt::format("its function is Python bytecode, which is never run; {}", tell_it));
  } else {
    keras_trouble(making, layer, fmt::format("there is no such layer here; {}", tell_it));
  }
  return {};
}

}  // namespace maskgrad::detail
