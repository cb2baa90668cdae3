#include "layers/layer_rows.hpp"

namespace maskgrad::tests {

void basic_cases(Rows& rows) {
  rows.add("", Dense{{.units = 2}}, {features});
  rows.add("no bias, tanh", Dense{{.units = 2, .activation = "tanh", .use_bias = false}},
           {features});
  rows.add("gelu", Activation{{.activation = "gelu"}}, {features});
  rows.add("softmax", Activation{{.activation = "softmax"}}, {features});
  rows.add("features", Softmax{}, {features});
  rows.add("time", Softmax{{.axis = 1}}, {{.shape = {2, 2}}});
  rows.add("values", Softmax{}, {{.shape = {}}});
  rows.add("time and features", Softmax{{.axis = {1, -1}}}, {features});
  rows.add("features, two axes", Softmax{{.axis = {2, 3}}}, {{.shape = {2, 2}}});
  rows.add("", Masking{}, {features});
  rows.add("NaN", Masking{{.mask_value = std::numeric_limits<double>::quiet_NaN()}}, {features});
  rows.add("mask_zero", Embedding{{.input_dim = 5, .output_dim = 3, .mask_zero = true}}, {ids});
  rows.add("", Embedding{{.input_dim = 5, .output_dim = 3}}, {ids});
}

}  // namespace maskgrad::tests
