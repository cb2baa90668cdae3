#pragma once

#include <string>

#include <maskgrad/maskgrad.hpp>

#include "io/files.hpp"

/// Models that are written and changed.
namespace maskgrad::tests::onnx_files {

/// The bytes of what save_onnx writes.
template <Layer M>
std::string bytes_of(const M& model, const OnnxOptions& options = {}) {
  const files::TemporaryFolder folder;
  save_onnx(model, folder / "m.onnx", options);
  std::ifstream in(folder / "m.onnx", std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline AnyLayer load(const std::string& bytes) {
  const files::TemporaryFolder folder;
  files::save(folder / "m.onnx", bytes);
  return load_onnx(folder / "m.onnx");
}
/// What loading refuses; empty where it does not. What is thrown is of this library.
inline std::string refusal(const std::string& bytes) {
  try {
    load(bytes);
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

inline Sequential tagger() {
  Sequential model{Masking{}, LSTM{{.units = 2, .return_sequences = true}},
                   MaskedConv1D{{.filters = 2, .kernel_size = 3, .padding = "same"}},
                   Dense{{.units = 2}}, CRF{}};
  model.build(Spec::f32({any, any, 3}), Seed{1});
  return model;
}

}  // namespace maskgrad::tests::onnx_files
