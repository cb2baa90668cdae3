#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <maskgrad/autograd/distinct.hpp>
#include <maskgrad/core/io/array.hpp>
#include <maskgrad/layers/model/model.hpp>
#include <maskgrad/layers/model/saved_values.hpp>

namespace maskgrad {

/// A parameter with its path in the model as the model is now, `encoder/gru/kernel`.
struct NamedParameter {
  std::string name;
  Parameter parameter;
};

namespace detail {
void collect_named(const LayerView& view, FirstTime& first, std::vector<NamedParameter>& into);
}

/// Every parameter of a model, each once. StateError before it is built.
/// Example:  mg::named_parameters(model).front().name;  // gru/kernel
template <Model M>
std::vector<NamedParameter> named_parameters(const M& model) {
  std::vector<NamedParameter> all;
  detail::FirstTime first;
  detail::visit_model(
      model, [&](const detail::LayerView& view) { detail::collect_named(view, first, all); });
  return all;
}

/// Writes every parameter under its name, one that stands twice under its first name; the ending
/// says how: `.safetensors`, `.npz` or `.pt` (for torch.load; PyTorch's own names and layouts are
/// save_torch_weights).
/// Throws:   FileError where the system refuses; OptionError for another ending or two parameters
///           of one name; StateError before the model is built.
/// Example:  mg::save_weights(model, "weights.safetensors");
///           mg::load_weights(model, "weights.safetensors");
void save_weights(const std::vector<NamedParameter>& parameters, const std::filesystem::path& path);
template <Model M>
void save_weights(const M& model, const std::filesystem::path& path) {
  save_weights(named_parameters(model), path);
}

/// Sets every parameter from the array of its name, in a file of any of these kinds; f32 and f64 converted to its own type. Names as
/// Keras's paths spell them fit too: `sequential/gru/gru_cell/kernel`.
/// Throws:   FileError that lists all arrays that are missing, unexpected or of another shape or
///           type (not strict: the last alone); then nothing is changed.
LoadReport load_weights(const std::vector<NamedParameter>& parameters,
                        const std::filesystem::path& path, LoadOptions options = {});
template <Model M>
LoadReport load_weights(const M& model, const std::filesystem::path& path,
                        LoadOptions options = {}) {
  return load_weights(named_parameters(model), path, options);
}

namespace detail {
/// All arrays of a file: of safetensors, npz, or the state dict of torch.save, told by its bytes.
NamedArrays read_arrays(std::string_view where, const std::filesystem::path& path);
/// OptionError for an ending of no kind of file of weights.
void check_weights_ending(std::string_view where, const std::filesystem::path& path);
/// Writes them as the ending says.
void write_arrays(const std::filesystem::path& path, const NamedArrays& arrays);
SavedValues saved_values(const std::vector<NamedParameter>& parameters);
/// The parameters under their names. OptionError where two have one name.
NamedArrays weight_arrays(std::string_view where, const std::vector<NamedParameter>& parameters);
/// Sets the parameters from arrays of their names, all or none.
LoadReport put_weights(std::string_view where, const std::filesystem::path& path,
                       const std::vector<NamedParameter>& parameters, const NamedArrays& arrays,
                       LoadOptions options);
}  // namespace detail

}  // namespace maskgrad
