#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <maskgrad/layers/any_layer.hpp>
#include <maskgrad/layers/losses/loss_function.hpp>
#include <maskgrad/layers/model/functional.hpp>
#include <maskgrad/layers/model/sequential.hpp>
#include <maskgrad/layers/support.hpp>

namespace maskgrad {

/// A layer from its name and a JSON object of its options, both in Keras's spelling; layers of
/// one's own too, once they are registered.
/// Throws:   OptionError, with the nearest, for an unknown name or option; for an option of another
///           type, a missing one, or a value that the layer refuses.
/// Example:  mg::make_layer("GRU", R"({"units": 64, "return_sequences": true})")
AnyLayer make_layer(std::string_view kind, std::string_view options = "{}");

namespace detail {
/// {"class_name": ..., "config": {...}}, as `described` writes it.
struct Description {
  std::string class_name;
  JsonText config;

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(required("class_name"), o.class_name);
    f("config", o.config);
  }
};
Description description_from(std::string_view where, std::string_view json);
std::string described(std::string_view kind, const OptionWriter& options);
/// The layer of {"class_name": ..., "config": {...}}.
AnyLayer layer_from(std::string_view where, std::string_view json);
AnyLayer layer_from(std::string_view where, const JsonPart& json);
std::string describe_any(const AnyLayer& layer);
/// The same, as what wraps the layer writes it; takes the options.
JsonPart part_of(std::string_view kind, OptionWriter& config);
JsonPart part_of(const AnyLayer& layer);
template <Layer L>
JsonPart part_of(const L& layer) {
  OptionWriter config;
  write_options_of(layer, config);
  return part_of(L::kind, config);
}
[[noreturn]] void refuse_model(std::string_view kind, std::string_view expected);
}  // namespace detail

/// A layer or a model as JSON, {"class_name": ..., "config": {...}} with all options: what it is,
/// not its weights. A Sequential holds its layers' descriptions. Throws:   OptionError for a layer
/// that does not list its options.
template <Layer L>
std::string describe(const L& layer) {
  OptionWriter writer;
  detail::write_options_of(layer, writer);
  return detail::described(L::kind, writer);
}

/// The model that `describe` described, not built: a Sequential, or as `model_from<Functional>`.
/// Throws:   as make_layer; OptionError where it is another one.
template <Layer M = Sequential>
M model_from(std::string_view json) {
  AnyLayer model = detail::layer_from("model_from", json);
  if (auto* wanted = model.as_if<M>()) return *wanted;
  detail::refuse_model(model.kind(), M::kind);
}

/// A loss from its name, as Keras spells the class or the function (`MeanSquaredError`,
/// `mean_squared_error`), and a JSON object of options: `reduction`, and those of the loss.
/// Throws:   OptionError, with the nearest, for an unknown name or option.
LossFunction loss_function(std::string_view name, std::string_view options = "{}");
/// The names of all, as Keras spells the classes.
std::span<const std::string_view> loss_names();

}  // namespace maskgrad
