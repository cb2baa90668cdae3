#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <maskgrad/layers/keras/config.hpp>

namespace maskgrad::detail {

/// A reference to a tensor: a layer's name, the number of its call, and of the result.
struct TensorReference {
  std::string layer;
  std::int64_t node = 0, result = 0;
};

/// None for what is no reference to one of `layers`.
std::optional<TensorReference> tensor_reference(const Json& json,
                                                const std::map<std::string, std::size_t>& layers);

}  // namespace maskgrad::detail
