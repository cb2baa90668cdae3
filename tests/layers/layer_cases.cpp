#include "layers/layer_rows.hpp"

namespace maskgrad::tests {

std::vector<OpCase> layer_cases(DType dtype) {
  Rows rows(dtype);
  activations_cases(rows);
  attention_cases(rows);
  basic_cases(rows);
  convolution_cases(rows);
  merging_cases(rows);
  normalization_cases(rows);
  losses_cases(rows);
  pooling_cases(rows);
  recurrent_cases(rows);
  regularization_cases(rows);
  reshaping_cases(rows);
  return std::move(rows.rows);
}

}  // namespace maskgrad::tests
