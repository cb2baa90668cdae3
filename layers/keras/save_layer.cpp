#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <maskgrad/layers/keras/config.hpp>
#include <maskgrad/layers/keras/option_table.hpp>
#include <maskgrad/layers/keras/saving.hpp>
#include <maskgrad/layers/model/saved_values.hpp>
#include <maskgrad/layers/model/sequential.hpp>

// Layers without others in them, in Keras's form.

namespace maskgrad::detail {
namespace {

/// Options that are told otherwise, or that change no result.
bool is_told_otherwise(std::string_view option) {
  constexpr std::array others = {
      "name", "seed", "recompute", "reset_after", "use_causal_mask", "return_attention_scores"};
  return option.ends_with("_initializer") || std::ranges::find(others, option) != std::end(others);
}

/// Names of initializers that Keras spells alike.
bool is_keras_initializer(const Json& value) {
  constexpr std::array known = {"zeros",         "ones",       "glorot_uniform", "glorot_normal",
                                "he_uniform",    "he_normal",  "lecun_uniform",  "lecun_normal",
                                "random_normal", "orthogonal", "random_uniform", "identity"};
  return value.is_string() && std::ranges::find(known, value.get<std::string>()) != std::end(known);
}

const OptionRow* row_of_kind(std::string_view kind) {
  const auto find = [](const std::string& own) -> const OptionRow* {
    const auto row = std::ranges::find(option_table(), own, &OptionRow::own);
    return row == option_table().end() ? nullptr : &*row;
  };
  const auto* row = find(std::string(kind));
  return row ? row : find("Masked" + std::string(kind));  // Conv1D, as MaskedConv1D
}

bool is_attention_kind(std::string_view kind) {
  return kind.ends_with("Attention");
}

/// The group and the number of each weight of a layer without layers in it.
std::string weights_group(std::string_view kind, std::string_view path) {
  const bool grouped = kind == "GroupedQueryAttention";
  if (kind == "GRU" || kind == "LSTM" || kind == "SimpleRNN") return "cell/vars";
  if (!grouped && kind != "MultiHeadAttention") return "vars";
  // query/kernel; Keras's GroupedQueryAttention has no public name for it.
  return fmt::format("{}{}_dense/vars", grouped ? "_" : "", path.substr(0, path.find('/')));
}

}  // namespace

Json KerasItem::item() const {
  Json made;
  made["module"] = class_name == "Functional"   ? "keras.src.models.functional"
                   : class_name == "Sequential" ? "keras"
                                                : "keras.layers";
  const bool grouped = class_name == "GroupedQueryAttention";
  made["class_name"] = grouped ? "GroupQueryAttention" : class_name;  // as Keras's API calls it
  made["config"] = config;
  made["registered_name"] = class_name == "Functional" ? Json("Functional") : Json();
  return made;
}

std::string KerasCounts::next(const std::string& base) {
  const int n = counts_[base]++;
  return n == 0 ? base : fmt::format("{}_{}", base, n);
}

std::string keras_dtype(DType dtype) {
  if (dtype == DType::f32) return "float32";
  if (dtype == DType::f64) return "float64";
  return dtype == DType::i64 ? "int32" : "bool";
}

Json keras_base(const std::string& name, DType dtype, bool trainable) {
  return {{"name", name},
          {"trainable", trainable},
          {"dtype", keras_dtype(dtype == DType::f64 ? dtype : DType::f32)}};
}

Json keras_shape(const Shape& shape) {
  Json made = Json::array();
  for (const auto size : shape) made.push_back(size == any ? Json() : Json(size));
  return made;
}

Json keras_input_item(const std::string& name, const Tensor& meta) {
  Json shape = keras_shape(meta.shape());
  if (!shape.empty()) shape[0] = Json();
  KerasItem made{"InputLayer"};
  made.config = {{"batch_shape", shape},
                 {"dtype", keras_dtype(meta.dtype())},
                 {"sparse", false},
                 {"name", name}};
  return made.item();
}

void KerasWriter::trouble(std::string_view kind, const std::string& name, std::string_view text) {
  troubles_.push_back(fmt::format("{} '{}': {}", kind, name, text));
}

void KerasWriter::check_rest(const KerasItem& item, const std::string& name, const Json& options) {
  for (const auto& [option, value] : options.items()) {
    if (is_told_otherwise(option) || value.is_null() || item.config.contains(option)) continue;
    trouble(item.class_name, name,
            fmt::format("its option .{} is {}, which Keras's has not", option, json_text(value)));
  }
  for (const auto& [key, value] : item.config.items()) {
    if (value != "nan" && value != "inf" && value != "-inf") continue;
    if (key != "name") {
      trouble(item.class_name, name,
              fmt::format("its option .{} is {}, which no JSON can say", key, json_text(value)));
    }
  }
  for (const char* key : {"activation", "recurrent_activation"}) {
    if (config_text(item.config, key) != "keras2_hard_sigmoid") continue;
    trouble(
        item.class_name, name,
        fmt::format("its option .{} is 0.2 x + 0.5 cut to 0 and 1, which Keras 3 has not; its own "
                    "hard_sigmoid, x / 6 + 0.5, gives the same with weights before it times 1.2",
                    key));
  }
}

KerasItem KerasWriter::by_options(AnyLayer& layer, const std::string& name, const Json& options,
                                  DType dtype) {
  KerasItem made;
  const auto* row = row_of_kind(layer.kind());
  if (!row) {
    trouble(layer.kind(), name, "Keras has no such layer");
    return made;
  }
  made.class_name = std::string(row->keras);
  bool trainable = true;
  layer.visit(name, [&](const LayerView& view) {
    for (const auto& [path, p] : view.parameters) {
      if (!p->is_state() && !p->trainable()) trainable = false;
      dtype = p->tensor().dtype();
    }
  });
  made.config = keras_base(name, dtype, trainable);
  for (const auto& word : option_words(row->options)) {
    if (word.keras != word.own) continue;  // an older name
    if (const Json* value = config_at(options, word.own)) made.config[word.keras] = *value;
  }
  for (const auto& [option, value] : options.items()) {
    if (is_keras_initializer(value) && option.ends_with("_initializer")) {
      made.config[option] = value;
    }
  }
  if (options.contains("reset_after")) made.config["reset_after"] = options["reset_after"];
  if (is_attention_kind(layer.kind())) {  // arguments of the call in Keras
    for (const char* key : {"use_causal_mask", "return_attention_scores"}) {
      made.config.erase(key);
      if (config_flag(options, key)) made.kwargs[key] = true;
    }
  }
  check_rest(made, name, options);
  return made;
}

void KerasWriter::weights(AnyLayer& layer, Hdf5Group& group, const std::string& name) {
  group.at("vars").texts["name"] = name;
  layer.visit(name, [&](const LayerView& view) {
    for (const auto& [path, p] : view.parameters) {
      const auto at = weights_group(layer.kind(), std::string_view(path).substr(name.size() + 1));
      auto& vars = group.at(at);
      vars.data[std::to_string(vars.data.size())] = array_of(p->tensor().value());
      if (!vars.texts.contains("name")) {
        vars.texts["name"] = at.starts_with("cell") ? snake_case(layer.kind()) + "_cell"
                             : at == "output_dense/vars" || at == "_output_dense/vars"
                                 ? "attention_output"
                                 : at.substr(at[0] == '_', at.find("_dense") - (at[0] == '_'));
      }
    }
  });
}

KerasItem KerasWriter::layer(AnyLayer& layer, const std::string& name, const Tensors& inputs,
                             Hdf5Group& group) {
  const auto kind = layer.kind();
  if (auto* model = layer.as_if<Functional>()) return functional(*model, name, inputs, group);
  if (auto* chain = layer.as_if<Sequential>()) {
    std::vector<AnyLayer> all;
    Sequential::each_layer(*chain, [&](auto&&, AnyLayer& one) { all.push_back(one); });
    return sequential(std::move(all), name, inputs, group);
  }
  Json options;
  try {
    extend::OptionWriter writer;
    layer.write_options(writer);
    options = parse_json(writer.json()).json;
  } catch (const OptionError&) {
    trouble(kind, name, "a function of one's own, which is in no file; put a layer there");
    return {};
  }
  if (kind == "Bidirectional" || kind == "RNN" || kind == "TimeDistributed" ||
      kind == "StackedRNNCells") {
    return wrapping(layer, name, inputs, group, options);
  }
  auto made = by_options(layer, name, options, inputs.at(0).dtype());
  if (!made.class_name.empty()) weights(layer, group, name);
  return made;
}

}  // namespace maskgrad::detail
