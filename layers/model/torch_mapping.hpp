#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <maskgrad/core/shape.hpp>

/// How the weights of layers are made of PyTorch's arrays.
namespace maskgrad::torch_mapping {

/// An array of a file as numbers.
struct Numbers {
  std::vector<std::int64_t> shape;
  std::vector<double> values;
};

/// How a layer's weight is made of PyTorch's arrays. Where a weight has several, the first whose
/// arrays the file holds.
struct Part {
  std::string_view ours;
  std::vector<std::string_view> theirs;
  Numbers (*make)(const std::vector<Numbers>&);
};

/// The weights of one kind of layer.
struct Row {
  std::string_view kind;
  std::vector<Part> parts;
};

/// The mapping, as weights_torch.hpp states it.
const std::vector<Row>& table();

/// Under the shape `want` where that only splits one axis into two: heads and the values of each.
Numbers split_as(Numbers x, const Shape& want);

}  // namespace maskgrad::torch_mapping
