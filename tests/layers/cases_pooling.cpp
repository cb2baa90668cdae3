#include "layers/layer_rows.hpp"

namespace maskgrad::tests {

void pooling_cases(Rows& rows) {
  rows.add("", GlobalAveragePooling1D{}, {features});
  rows.add("keepdims", GlobalAveragePooling1D{{.keepdims = true}}, {features});
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
