#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <maskgrad/layers/layer/any_layer.hpp>

namespace maskgrad {

struct OnnxOptions {
  /// Of the model's inputs, with the masks that they will carry; empty: those that it was built
  /// with.
  std::vector<Spec> inputs = {};
  std::vector<std::string> input_names = {};   ///< empty: the model's own, else `x`
  std::vector<std::string> output_names = {};  ///< empty: `y`, or `y_0` on
  /// A mask [batch, time] of an input goes in as a bool tensor NAME_mask, which may have holes; else
  /// as NAME_lengths, i32 [batch].
  bool mask_inputs = false;
  /// Says that padding, where the model finds it itself (Masking, Embedding with mask_zero), always
  /// stands behind a sequence; then steps need not be put in order.
  bool padding_is_last = false;
  /// A masked output y also gives y_lengths, i32 [batch], or y_mask, bool.
  bool mask_outputs = true;
  std::map<std::string, std::string> metadata = {};
};

namespace detail {
void save_onnx(AnyLayer model, const std::filesystem::path& path, OnnxOptions options);
}  // namespace detail

/// Writes a built model as an ONNX file of opset 17, which gives at valid steps what the model
/// gives and 0 elsewhere, whatever stands in the padding. Sizes that are `any` stay free. Its
/// metadata hold what it is, so that load_onnx makes the model again. layers/onnx/README.md says of
/// each layer how it goes out.
/// Throws:   OptionError, which lists all layers that cannot be written, with ways out, and for
///           options that do not fit the model; StateError before it is built; FileError where the
///           system refuses.
/// Example:  mg::save_onnx(model, "model.onnx", {.inputs = {spec}});
///           // inputs x [batch, steps, 3] and x_lengths [batch]; outputs y and, where it is masked,
///           // y_lengths
template <Layer M>
void save_onnx(const M& model, const std::filesystem::path& path, OnnxOptions options = {}) {
  if constexpr (requires { model.built_for(); }) {
    if (options.inputs.empty()) options.inputs = model.built_for().specs("save_onnx");
  }
  detail::save_onnx(AnyLayer(model), path, std::move(options));
}
/// The same for a layer of any type, as load_any_model gives it.
inline void save_onnx(const AnyLayer& model, const std::filesystem::path& path,
                      OnnxOptions options = {}) {
  detail::save_onnx(model, path, std::move(options));
}

}  // namespace maskgrad
