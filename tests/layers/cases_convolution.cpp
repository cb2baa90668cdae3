#include "layers/layer_rows.hpp"

namespace maskgrad::tests {

void convolution_cases(Rows& rows) {
  rows.add("", Conv1D{{.filters = 2, .kernel_size = 3}}, {features});
  rows.add(
      "same, stride 2, dilation 2",
      Conv1D{{.filters = 2, .kernel_size = 2, .strides = 2, .padding = "same", .dilation_rate = 2}},
      {features});
  rows.add("valid", MaskedConv1D{{.filters = 2, .kernel_size = 2}}, {features});
  rows.add("same", MaskedConv1D{{.filters = 2, .kernel_size = 3, .padding = "same"}}, {features});
  rows.add("causal, dilation 2",
           MaskedConv1D{{.filters = 2, .kernel_size = 2, .padding = "causal", .dilation_rate = 2}},
           {features});
  rows.add("same, stride 2",
           MaskedConv1D{{.filters = 2, .kernel_size = 3, .strides = 2, .padding = "same"}},
           {features});
}

}  // namespace maskgrad::tests
