#include "layers/layer_rows.hpp"

namespace maskgrad::tests {

void regularization_cases(Rows& rows) {
  rows.add("", Dropout{{.rate = 0.4}}, {features}, by_index);
}

}  // namespace maskgrad::tests
