#pragma once

#include <filesystem>

#include <maskgrad/layers/model/functional.hpp>
#include <maskgrad/layers/model/sequential.hpp>

namespace maskgrad {

struct KerasSaveOptions {
  /// A model whose inputs carry masks is written without them: Keras then computes on padding.
  bool drop_input_masks = false;
};

/// Writes a `.keras` file of Keras 3: config.json, metadata.json, model.weights.h5. Layers over
/// windows of steps (MaskedConv1D) become Keras's, which are the same without a mask; what Keras
/// does with padding in the file, `lint` says. Keras's inputs have no masks: let the model begin
/// with Masking, or an Embedding with .mask_zero. Options that only training here knows (seeds,
/// recompute) are left out.
/// Throws:   FileError, which lists all that Keras has not; MaskError for inputs with masks;
///           StateError before the model is built.
/// Example:  mg::save_keras(model, "model.keras", {.drop_input_masks = true});
void save_keras(const Functional& model, const std::filesystem::path& path,
                const KerasSaveOptions& options = {});
void save_keras(const Sequential& model, const std::filesystem::path& path,
                const KerasSaveOptions& options = {});

}  // namespace maskgrad
