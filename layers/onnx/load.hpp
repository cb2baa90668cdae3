#pragma once

#include <filesystem>

#include <maskgrad/core/io/json_limits.hpp>
#include <maskgrad/layers/layer/any_layer.hpp>

namespace maskgrad {

struct LoadOnnxOptions {
  JsonLimits limits = {};  ///< of what the metadata say of the model; `layers`: of nodes too
};

/// The model of an ONNX file, with its weights. Of one that save_onnx wrote it is the same model
/// again, with its names. Of another one it is a Functional made of what its operators say: RNN,
/// GRU, LSTM, MatMul, Gemm, Conv, pooling, normalizations, activations, Gather of a table and the
/// like; tensors are [batch, time, features] whatever their order in the file, and sequence_lens
/// become the mask of the input. Nothing outside of the file is opened, and nothing in it is run.
/// Throws:   FileError, which lists all that cannot be loaded; what building throws.
/// Example:  mg::save_onnx(model, "same.onnx");
///           mg::AnyLayer same = mg::load_onnx("same.onnx");
///           mg::predict(same, x);  // [4, 5, 3]
AnyLayer load_onnx(const std::filesystem::path& path, const LoadOnnxOptions& options = {});

}  // namespace maskgrad
