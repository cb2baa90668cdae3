#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <maskgrad/layers/layer/any_layer.hpp>
#include <maskgrad/layers/onnx/format.hpp>

namespace maskgrad::onnx {

/// A file as it was read.
struct File {
  std::string path;
  Model model;

  [[noreturn]] void refuse(const std::vector<std::string>& troubles) const;
};

/// The values of a real tensor. Where they are not what its shape says, or of another type, it is
/// told in `troubles`, and there are none.
std::vector<double> reals_of(const TensorData& data, std::vector<std::string>& troubles);
/// The number of values of a shape; below 0 where it is none, or beyond what can be.
std::int64_t count_of(const std::vector<std::int64_t>& dims);

/// Whether save_onnx wrote the file, and nobody changed its nodes since.
bool is_own(const File& file);
AnyLayer load_own(const File& file);
AnyLayer load_foreign(const File& file);
/// The operators that are read of files of other exporters.
std::vector<std::string_view> read_operators();

}  // namespace maskgrad::onnx
