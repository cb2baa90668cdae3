#pragma once

#include <string>
#include <string_view>

#include <maskgrad/layers/layer/any_layer.hpp>

namespace maskgrad {

namespace detail {
/// {"class_name": ..., "config": {...}}, as `described` writes it.
struct Description {
  std::string class_name;
  extend::JsonText config;

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("class_name"), o.class_name);
    f("config", o.config);
  }
};
/// As Description, whose options are read where they stand.
struct PartDescription {
  std::string class_name;
  extend::JsonPart config;

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("class_name"), o.class_name);
    f("config", o.config);
  }
};
Description description_from(std::string_view where, std::string_view json);
std::string described(std::string_view kind, const extend::OptionWriter& options);
/// The layer of {"class_name": ..., "config": {...}}; defined where all layers are known, in
/// layers/registry/factory.cpp.
AnyLayer layer_from(std::string_view where, std::string_view json);
AnyLayer layer_from(std::string_view where, const extend::JsonPart& json);
std::string describe_any(const AnyLayer& layer);
/// The same, as what wraps the layer writes it; takes the options.
extend::JsonPart part_of(std::string_view kind, extend::OptionWriter& config);
extend::JsonPart part_of(const AnyLayer& layer);
template <Layer L>
extend::JsonPart part_of(const L& layer) {
  extend::OptionWriter config;
  write_options_of(layer, config);
  return part_of(L::kind, config);
}
}  // namespace detail

/// A layer or a model as JSON, {"class_name": ..., "config": {...}} with all options: what it is,
/// not its weights. A Sequential holds its layers' descriptions.
/// Throws:   OptionError for a layer that does not list its options.
template <Layer L>
std::string describe(const L& layer) {
  extend::OptionWriter writer;
  detail::write_options_of(layer, writer);
  return detail::described(L::kind, writer);
}

}  // namespace maskgrad
