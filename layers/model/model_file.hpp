#pragma once

#include <filesystem>
#include <vector>

#include <maskgrad/layers/factory.hpp>
#include <maskgrad/layers/model/weights_file.hpp>

namespace maskgrad {

namespace detail {
void save_model(const std::filesystem::path& path, const std::string& description,
                const std::vector<NamedParameter>& parameters, const std::vector<Spec>& inputs,
                Seed seed);
[[noreturn]] void refuse_loaded(const std::filesystem::path& path, std::string_view kind,
                                std::string_view expected);
}  // namespace detail

/// Writes a built model as one `.safetensors` file: what it is (as `describe`), the inputs and the
/// seed that it was built with, which weights are frozen, in the metadata; its weights as arrays,
/// which load_weights reads too.
/// Throws:   OptionError for another ending, two weights of one name, or a layer that lists no
///           options; StateError before the model is built; FileError where the system refuses.
template <Layer M>
requires(requires(const M& model) {
  model.built_for();
}) void save_model(const M& model, const std::filesystem::path& path) {
  const BuiltFor& built = model.built_for();
  const auto parameters = named_parameters(model);
  detail::save_model(path, describe(model), parameters, built.specs("save_model"), built.seed());
}
/// The same for a layer that does not note what it was built with.
template <Layer M>
void save_model(const M& model, const std::filesystem::path& path, const std::vector<Spec>& inputs,
                Seed seed = {}) {
  detail::save_model(path, describe(model), named_parameters(model), inputs, seed);
}

/// The model of such a file, built, with its weights, without its C++ code: through make_layer, so
/// layers of one's own must be registered. Its kind does not matter.
/// Throws:   FileError for a file that holds none, or whose weights do not fit it; what make_layer
///           and building throw.
AnyLayer load_any_model(const std::filesystem::path& path);
/// The same as what it is: a Sequential, or as `load_model<Functional>`. OptionError where it is
/// another one.
template <Layer M = Sequential>
M load_model(const std::filesystem::path& path) {
  AnyLayer model = load_any_model(path);
  if (auto* wanted = model.as_if<M>()) return *wanted;
  detail::refuse_loaded(path, model.kind(), M::kind);
}

}  // namespace maskgrad
