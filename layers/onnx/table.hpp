#pragma once

#include <span>
#include <string_view>
#include <vector>

#include <maskgrad/layers/onnx/exporter.hpp>

namespace maskgrad::onnx {

/// How a class of layers goes out, or why it does not.
struct Row {
  std::string_view kind;
  Values (*write)(const Call&) = nullptr;
  std::string_view operators = {};  ///< those of ONNX that it becomes
  std::string_view why = {};        ///< where it is refused, in part where `write` is there
  std::string_view ways_out = {};
};

/// Of all layers of the library, in the order of the registry.
std::span<const Row> rows();
const Row* row_of(std::string_view kind);

/// What goes through the layers in a container; null for other layers.
using Walk = Values (*)(Exporter&, AnyLayer&, const Values&);
Walk container(AnyLayer& layer);

}  // namespace maskgrad::onnx
