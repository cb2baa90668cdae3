#pragma once

#include <maskgrad/layers/model/model_notes.hpp>
#include <maskgrad/layers/onnx/exporter.hpp>

namespace maskgrad::onnx {

/// The file of a model, and the values of its weights in it by names. What cannot be written is
/// told in `troubles`; the file is then not whole.
struct Exported {
  Model model;
  std::vector<std::pair<std::string, Weight>> weights;
};
Exported exported(AnyLayer& model, const OnnxOptions& options, std::vector<std::string>& troubles,
                  std::size_t most_nodes = std::numeric_limits<std::size_t>::max());

/// What the metadata say of how the model was written, beside what it is.
constexpr const char* options_key = "maskgrad_onnx";
std::string options_text(const OnnxOptions& options);
OnnxOptions options_from(std::string_view text);

}  // namespace maskgrad::onnx
