#include <maskgrad/layers/factory.hpp>

#include <maskgrad/core/nearest.hpp>

namespace maskgrad {
namespace {

struct SequentialOptions {
  std::string name;
  std::vector<JsonPart> layers;

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("name", o.name);
    f(required("layers"), o.layers);
  }
};

/// As detail::Description, whose options are read where they stand.
struct LayerDescription {
  std::string class_name;
  JsonPart config;

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(required("class_name"), o.class_name);
    f("config", o.config);
  }
};

AnyLayer make_from(std::string_view kind, OptionReader& reader) {
  if (kind == Sequential::kind) return AnyLayer(Sequential::from_options(reader));
  if (kind == Functional::kind) return AnyLayer(Functional::from_options(reader));
  std::vector<std::string_view> names{Sequential::kind, Functional::kind};
  for (const auto& known : registered_layers()) {
    names.push_back(known.kind);
    if (known.kind != kind) continue;
    if (!known.make) detail::refuse_undescribed(kind);
    return known.make(reader);
  }
  fail<OptionError>("make_layer", "there is no layer '{}'; {}", kind, nearest_hint(kind, names));
}

AnyLayer layer_of(const LayerDescription& description) {
  OptionReader reader(description.class_name, description.config);
  return make_from(description.class_name, reader);
}

}  // namespace

AnyLayer make_layer(std::string_view kind, std::string_view options) {
  OptionReader reader(kind, options);
  return make_from(kind, reader);
}

Sequential Sequential::from_options(OptionReader& reader) {
  const auto options = read_options<SequentialOptions>(reader);
  std::vector<AnyLayer> layers;
  for (const auto& layer : options.layers) {
    layers.push_back(detail::layer_from("Sequential", layer));
  }
  return Sequential(std::move(layers), options.name);
}

void Sequential::write_options(OptionWriter& writer) const {
  SequentialOptions options{info.named ? info.name : std::string(), {}};
  for (const auto& layer : layers_) options.layers.push_back(detail::part_of(layer));
  SequentialOptions::each_option(options, writer);
}

namespace detail {

void refuse_undescribed(std::string_view kind) {
  fail<OptionError>(kind,
                    "it lists no options, so it has no JSON; give the class `using Options`, "
                    "`options()` and the struct `each_option` (layers/options.hpp), and call "
                    "register_layer<T>()");
}

std::string described(std::string_view kind, const OptionWriter& options) {
  OptionWriter whole;
  Description description{std::string(kind), {options.json()}};
  Description::each_option(description, whole);
  return whole.json();
}

void refuse_model(std::string_view kind, std::string_view expected) {
  fail<OptionError>("model_from",
                    "the JSON describes a {}; expected a {}. A layer by itself is made by "
                    "make_layer",
                    kind, expected);
}

Description description_from(std::string_view where, std::string_view json) {
  return read_options<Description>(where, json);
}

AnyLayer layer_from(std::string_view where, std::string_view json) {
  OptionReader reader(where, json);
  return layer_of(read_options<LayerDescription>(reader));
}
AnyLayer layer_from(std::string_view where, const JsonPart& json) {
  OptionReader reader(where, json);
  return layer_of(read_options<LayerDescription>(reader));
}

JsonPart part_of(std::string_view kind, OptionWriter& config) {
  OptionWriter whole;
  LayerDescription description{std::string(kind), config.part()};
  LayerDescription::each_option(description, whole);
  return whole.part();
}
JsonPart part_of(const AnyLayer& layer) {
  OptionWriter config;
  layer.write_options(config);
  return part_of(layer.kind(), config);
}

std::string describe_any(const AnyLayer& layer) {
  OptionWriter writer;
  layer.write_options(writer);
  return described(layer.kind(), writer);
}

}  // namespace detail
}  // namespace maskgrad
