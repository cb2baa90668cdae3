#pragma once

#include <vector>

#include <maskgrad/core/io/array.hpp>
#include <maskgrad/layers/keras/graph.hpp>

namespace maskgrad::detail {

/// A layer's weights as Keras 3 has them, from those of CuDNN's layers and of Keras 1; others are
/// given back as they are.
/// Source:   keras/src/legacy/saving/legacy_h5_format.py; Keras 2, `preprocess_weights_for_loading`.
std::vector<Array> weights_of_now(const KerasLayer& layer, std::vector<Array> arrays);

}  // namespace maskgrad::detail
