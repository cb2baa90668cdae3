#pragma once

#include <vector>

#include <maskgrad/layers/layer/any_layer.hpp>

#include "autograd/op_cases.hpp"

namespace maskgrad::tests {

/// A row for each layer and each set of options that changes what it does; the weights in `dtype`.
/// `op` is the layer's kind. A registered layer without a row fails the suite.
std::vector<OpCase> layer_cases(DType dtype = DType::f64);

/// The same layers by themselves, built.
struct LayerRow {
  std::string title;
  AnyLayer layer;
  std::vector<Spec> specs;
  bool of_sequences;  ///< all of its inputs are [batch, time, ...]
};
std::vector<LayerRow> layer_rows(DType dtype = DType::f64);

}  // namespace maskgrad::tests
