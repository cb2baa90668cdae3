#include "layers/layer_rows.hpp"

namespace maskgrad::tests {
namespace in_cases_convolution {

const CaseInput four{.shape = {4}};

void add_masked(Rows& rows) {
  const auto add = [&](const char* variant, const Conv1DOptions& o) {
    rows.add(variant, MaskedConv1D{o}, {four});
  };
  add("valid", {.filters = 2, .kernel_size = 2});
  add("valid, a window of one step", {.filters = 2, .kernel_size = 1});
  add("valid, longer than any sequence", {.filters = 2, .kernel_size = 6});
  add("valid, stride above the window", {.filters = 2, .kernel_size = 2, .strides = 3});
  add("same", {.filters = 2, .kernel_size = 3, .padding = "same"});
  add("same, stride 2", {.filters = 2, .kernel_size = 3, .strides = 2, .padding = "same"});
  add("causal, dilation 2",
      {.filters = 2, .kernel_size = 2, .padding = "causal", .dilation_rate = 2});
  add("causal, stride 2, groups",
      {.filters = 4, .kernel_size = 2, .strides = 2, .padding = "causal", .groups = 2});
  add("same, groups, tanh, no bias", {.filters = 4,
                                      .kernel_size = 2,
                                      .padding = "same",
                                      .groups = 4,
                                      .activation = "tanh",
                                      .use_bias = false});
}

void add_plain(Rows& rows) {
  rows.add("", Conv1D{{.filters = 2, .kernel_size = 3}}, {four});
  rows.add(
      "same, stride 2, dilation 2",
      Conv1D{{.filters = 2, .kernel_size = 2, .strides = 2, .padding = "same", .dilation_rate = 2}},
      {four});
  rows.add(
      "causal, groups, tanh",
      Conv1D{
          {.filters = 4, .kernel_size = 2, .padding = "causal", .groups = 2, .activation = "tanh"}},
      {four});
  rows.add("", DepthwiseConv1D{{.kernel_size = 3}}, {features});
  rows.add("same, stride 2, three results a feature, tanh",
           DepthwiseConv1D{{.kernel_size = 3,
                            .strides = 2,
                            .padding = "same",
                            .depth_multiplier = 3,
                            .activation = "tanh"}},
           {features});
  rows.add("causal, dilation 2, no bias",
           DepthwiseConv1D{
               {.kernel_size = 2, .padding = "causal", .dilation_rate = 2, .use_bias = false}},
           {features});
  rows.add("", SeparableConv1D{{.filters = 2, .kernel_size = 3}}, {features});
  rows.add("same, dilation 2, two results a feature, tanh, no bias",
           SeparableConv1D{{.filters = 2,
                            .kernel_size = 2,
                            .padding = "same",
                            .dilation_rate = 2,
                            .depth_multiplier = 2,
                            .activation = "tanh",
                            .use_bias = false}},
           {features});
}

void add_transposed(Rows& rows) {
  const auto add = [&](const char* variant, const Conv1DTransposeOptions& o) {
    rows.add(variant, Conv1DTranspose{o}, {features});
  };
  add("", {.filters = 2, .kernel_size = 3});
  add("stride above the window", {.filters = 2, .kernel_size = 2, .strides = 3});
  add("same, stride 2, tanh",
      {.filters = 2, .kernel_size = 3, .strides = 2, .padding = "same", .activation = "tanh"});
  add("same, output_padding, dilation 2, no bias", {.filters = 2,
                                                    .kernel_size = 3,
                                                    .strides = 3,
                                                    .padding = "same",
                                                    .output_padding = 1,
                                                    .dilation_rate = 2,
                                                    .use_bias = false});
}

}  // namespace in_cases_convolution

void convolution_cases(Rows& rows) {
  using namespace in_cases_convolution;
  add_masked(rows);
  add_plain(rows);
  add_transposed(rows);
  rows.add("", UpSampling1D{{.size = 3}}, {features});
  rows.add("", ZeroPadding1D{{.padding = {1, 2}}}, {features});
  rows.add("", Cropping1D{{.cropping = {1, 2}}}, {features});
}

}  // namespace maskgrad::tests
