#include "layers/layer_rows.hpp"

namespace maskgrad::tests {

void pooling_cases(Rows& rows) {
  rows.add("", GlobalAveragePooling1D{}, {features});
  rows.add("keepdims", GlobalAveragePooling1D{{.keepdims = true}}, {features});
}

}  // namespace maskgrad::tests
