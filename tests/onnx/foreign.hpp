#pragma once

#include <string>
#include <vector>

#include <maskgrad/layers/onnx/format.hpp>

namespace maskgrad::tests {

/// A file as another exporter writes it. Orders are those of the axes in the file, of B, T and F.
struct ForeignFile {
  std::string title;
  onnx::Model model;
  std::string input_order;
  std::vector<std::string> output_orders;
  bool lengths = false;  ///< it takes `lengths`, i32 [batch]
};

/// Recurrent layers as PyTorch writes them, convolutions, tables of ids; all of [4, 5, 3].
std::vector<ForeignFile> foreign_files();
/// One of operators that are not read.
onnx::Model unread_file();

}  // namespace maskgrad::tests
