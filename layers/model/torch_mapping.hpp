#pragma once

#include <string_view>
#include <vector>

#include <maskgrad/layers/model/torch_numbers.hpp>

namespace maskgrad::torch_mapping {

/// How an array of one side is made of arrays of the other. Where an array has several, the first
/// counts whose sources are all there.
struct Part {
  std::string_view made;
  std::vector<std::string_view> of;
  Numbers (*make)(const List&);
};

/// The weights of one kind of layer.
struct Row {
  std::string_view kind;
  std::vector<Part> ours;       ///< our weights of PyTorch's arrays
  std::vector<Part> theirs;     ///< PyTorch's arrays of our weights
  std::string_view count = {};  ///< an array of PyTorch's that counts batches: 0 here
};

/// The mapping, as weights_torch.hpp states it.
const std::vector<Row>& table();

}  // namespace maskgrad::torch_mapping
