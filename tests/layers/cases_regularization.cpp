#include "layers/layer_rows.hpp"

namespace maskgrad::tests {

void regularization_cases(Rows& rows) {
  rows.add("", Dropout{{.rate = 0.4}}, {features}, by_index);
  rows.add("whole sequences", Dropout{{.rate = 0.4, .noise_shape = {{any, 1, 3}}}}, {features},
           by_index);
  rows.add("", SpatialDropout1D{{.rate = 0.4}}, {features}, by_index);
  rows.add("", AlphaDropout{{.rate = 0.4}}, {features}, by_index);
  rows.add("", GaussianDropout{{.rate = 0.4}}, {features}, by_index);
  rows.add("", GaussianNoise{{.stddev = 0.4}}, {features}, by_index);
}

}  // namespace maskgrad::tests
