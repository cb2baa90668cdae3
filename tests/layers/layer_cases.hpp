#pragma once

#include <vector>

#include "autograd/op_cases.hpp"

namespace maskgrad::tests {

/// A row for each layer and each set of options that changes what it does; the weights in `dtype`.
/// `op` is the layer's kind. A registered layer without a row fails the suite.
std::vector<OpCase> layer_cases(DType dtype = DType::f64);

}  // namespace maskgrad::tests
