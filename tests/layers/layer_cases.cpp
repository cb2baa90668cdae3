#include "layers/layer_rows.hpp"

namespace maskgrad::tests {

namespace {

Rows all_rows(DType dtype) {
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
  return rows;
}

}  // namespace

std::vector<OpCase> layer_cases(DType dtype) {
  return all_rows(dtype).rows;
}

std::vector<LayerRow> layer_rows(DType dtype) {
  return all_rows(dtype).layers;
}

}  // namespace maskgrad::tests
