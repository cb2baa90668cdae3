#pragma once

#include <filesystem>
#include <vector>

#include <maskgrad/layers/model/model_from.hpp>
#include <maskgrad/layers/model/weights_file.hpp>

namespace maskgrad {

namespace detail {
/// A walk over all layers of a model.
using LayerVisits = std::function<void(const LayerVisitor&)>;
void save_model(const std::filesystem::path& path, extend::JsonPart description,
                const std::vector<NamedParameter>& parameters, const LayerVisits& visits,
                const std::vector<Spec>& inputs, Seed seed);
template <class M>
void save_any(const M& model, const std::filesystem::path& path, const std::vector<Spec>& inputs,
              Seed seed) {
  save_model(
      path, part_of(model), named_parameters(model),
      [&model](const LayerVisitor& f) { visit_model(model, f); }, inputs, seed);
}
[[noreturn]] void refuse_loaded(const std::filesystem::path& path, std::string_view kind,
                                std::string_view expected);
}  // namespace detail

/// Writes a built model as one `.safetensors` file: what it is (as `describe`), the inputs and the
/// seed that it was built with, which weights are frozen, in the metadata; its weights as arrays,
/// which load_weights reads too.
/// Throws:   OptionError for another ending, two weights of one name, or a layer that lists no
///           options; StateError before the model is built; FileError where the system refuses.
/// Example:  mg::save_model(model, "model.safetensors");
///           mg::Sequential same = mg::load_model("model.safetensors");
template <Layer M>
requires(requires(const M& model) {
  model.built_for();
}) void save_model(const M& model, const std::filesystem::path& path) {
  const extend::BuiltFor& built = model.built_for();
  named_parameters(model);  // says so where it was not built
  detail::save_any(model, path, built.specs("save_model"), built.seed());
}
/// The same for a layer that does not note what it was built with.
template <Layer M>
void save_model(const M& model, const std::filesystem::path& path, const std::vector<Spec>& inputs,
                Seed seed = {}) {
  detail::save_any(model, path, inputs, seed);
}

/// The same for a layer of any type that was built as a whole, by `build`, or loaded.
void save_model(const AnyLayer& model, const std::filesystem::path& path);

struct LoadModelOptions {
  JsonLimits limits = {};  ///< of what the file says of the model
};

/// The model of such a file, built, with its weights, without its C++ code: through make_layer, so
/// layers of one's own must be registered. Its kind does not matter. Weights that layers have in
/// common are so again. It keeps the inputs it was saved with (`built_with`). Time and memory go by
/// the file: no weight is made that it does not hold.
/// Throws:   FileError for a file that holds none, or whose weights do not fit it; what make_layer
///           and building throw.
/// Example:  mg::save_model(model, "any.safetensors");
///           mg::AnyLayer any_model = mg::load_any_model("any.safetensors");
AnyLayer load_any_model(const std::filesystem::path& path, const LoadModelOptions& options = {});
/// What a loaded model, or another of erased type, does with masks, and its layers, for the inputs
/// that it was built with. StateError where they are not known.
Flow mask_flow(AnyLayer& model);
std::string summary(AnyLayer& model);
/// The same as what it is: a Sequential, or as `load_model<Functional>`. OptionError where it is
/// another one.
template <Layer M = Sequential>
M load_model(const std::filesystem::path& path, const LoadModelOptions& options = {}) {
  AnyLayer model = load_any_model(path, options);
  if (auto* wanted = model.as_if<M>()) return *wanted;
  detail::refuse_loaded(path, model.kind(), M::kind);
}

}  // namespace maskgrad
