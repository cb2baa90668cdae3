#include <maskgrad/layers/registry/factory.hpp>

#include <maskgrad/core/nearest.hpp>
#include <maskgrad/layers/layer/description.hpp>
#include <maskgrad/layers/model/functional.hpp>
#include <maskgrad/layers/model/sequential.hpp>
#include <maskgrad/layers/registry/mask_support.hpp>

namespace maskgrad {
namespace {

AnyLayer make_from(std::string_view kind, extend::OptionReader& reader) {
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

AnyLayer described_layer(const detail::PartDescription& description) {
  extend::OptionReader reader(description.class_name, description.config);
  return make_from(description.class_name, reader);
}

}  // namespace

AnyLayer make_layer(std::string_view kind, std::string_view options) {
  extend::OptionReader reader(kind, options);
  return make_from(kind, reader);
}

namespace detail {

AnyLayer layer_from(std::string_view where, std::string_view json) {
  extend::OptionReader reader(where, json);
  return described_layer(extend::read_options<PartDescription>(reader));
}
AnyLayer layer_from(std::string_view where, const extend::JsonPart& json) {
  extend::OptionReader reader(where, json);
  return described_layer(extend::read_options<PartDescription>(reader));
}

}  // namespace detail
}  // namespace maskgrad
