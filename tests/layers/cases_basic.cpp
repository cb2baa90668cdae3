#include "layers/layer_rows.hpp"

namespace maskgrad::tests {
namespace in_cases_basic {

const CaseInput words{.shape = {2, 3}};

void einsum_cases(Rows& rows) {
  rows.add("dots", EinsumDense{{.equation = "...x,xy->...y", .output_shape = {2}}}, {features});
  rows.add("heads, bias, tanh",
           EinsumDense{{.equation = "abc,cde->abde",
                        .output_shape = {any, 2, 2},
                        .activation = "tanh",
                        .bias_axes = "de",
                        .bias_initializer = "ones"}},
           {features});
  rows.add("from heads",
           EinsumDense{{.equation = "abcd,cde->abe", .output_shape = {any, 3}, .bias_axes = "e"}},
           {words});
  rows.add("steps behind features",
           EinsumDense{{.equation = "abc,cd->adb", .output_shape = {2, any}}}, {features});
}

void lambda_cases(Rows& rows) {
  const MaskContract by_value{.role = MaskRole::propagates, .why = "works value by value"};
  rows.add("", Lambda{square, by_value}, {features});
  rows.add("of two", Lambda{[](const Tensors& x) { return x[0] * tanh(x[1]); }, by_value},
           {features, features});
  rows.add("a mean over steps",
           Lambda{[](const Tensor& x) { return mean(x, 1); },
                  {.role = MaskRole::consumes,
                   .why = "averages the valid steps",
                   .sample_role = MaskRole::propagates}},
           {features});
  rows.add("undeclared", Lambda{square}, {features});
}

void time_distributed_cases(Rows& rows) {
  rows.add("Dense", TimeDistributed{Dense{{.units = 2, .activation = "tanh"}}}, {features});
  rows.add("GRU", TimeDistributed{GRU{{.units = 2}}}, {words});
  rows.add("GRU, states", TimeDistributed{GRU{{.units = 2, .return_state = true}}}, {words});
  rows.add("mean", TimeDistributed{GlobalAveragePooling1D{}}, {words});
  rows.add("Masking", TimeDistributed{Masking{}}, {features});
  rows.add("Conv1D", TimeDistributed{Conv1D{{.filters = 2, .kernel_size = 2}}}, {words});
  rows.add("twice, a model",
           TimeDistributed{
               AnyLayer(TimeDistributed{Sequential{Dense{{.units = 2}}, LayerNormalization{}}})},
           {words});
  rows.add("dropout", TimeDistributed{Dropout{{.rate = 0.3}}}, {features}, by_index);
}

}  // namespace in_cases_basic

void basic_cases(Rows& rows) {
  using namespace in_cases_basic;
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
  einsum_cases(rows);
  lambda_cases(rows);
  time_distributed_cases(rows);
}

}  // namespace maskgrad::tests
