#include "layers/layer_rows.hpp"

namespace maskgrad::tests {

namespace in_cases_pooling {

template <class L>
void add_windows(Rows& rows) {
  const CaseInput distinct{.shape = {3}, .draw = Draw::distinct};
  rows.add("", L{}, {distinct});
  rows.add("same, stride 1", L{{.pool_size = 3, .strides = 1, .padding = "same"}}, {distinct});
  rows.add("same, stride 2", L{{.pool_size = 3, .strides = 2, .padding = "same"}}, {distinct});
  rows.add("longer than any sequence", L{{.pool_size = 6}}, {distinct});
  rows.add("stride above the window", L{{.pool_size = 1, .strides = 3}}, {distinct});
}

}  // namespace in_cases_pooling

void pooling_cases(Rows& rows) {
  using namespace in_cases_pooling;
  rows.add("", GlobalAveragePooling1D{}, {features});
  rows.add("keepdims", GlobalAveragePooling1D{{.keepdims = true}}, {features});
  add_windows<MaxPooling1D>(rows);
  add_windows<AveragePooling1D>(rows);
  add_windows<MaskedMaxPooling1D>(rows);
  add_windows<MaskedAveragePooling1D>(rows);
  rows.add("channels_first",
           GlobalAveragePooling1D{{.data_format = "channels_first", .keepdims = true}}, {features});
  const CaseInput distinct{.shape = {3}, .draw = Draw::distinct};
  rows.add("", GlobalMaxPooling1D{}, {distinct});
  rows.add("keepdims", GlobalMaxPooling1D{{.keepdims = true}}, {distinct});
  rows.add("channels_first", GlobalMaxPooling1D{{.data_format = "channels_first"}}, {distinct});
  rows.add("", GlobalSumPooling1D{}, {features});
  rows.add("keepdims", GlobalSumPooling1D{{.keepdims = true}}, {features});
  rows.add("", FirstStep{}, {features});
  rows.add("values", FirstStep{}, {{.shape = {}}});
  rows.add("", LastStep{}, {features});
  rows.add("tables", LastStep{}, {{.shape = {2, 2}}});
}

}  // namespace maskgrad::tests
