#include "layers/layer_rows.hpp"

namespace maskgrad::tests {

void losses_cases(Rows& rows) {
  rows.add("", CRF{{.boundary_initializer = "glorot_uniform"}}, {features});
  rows.add("no boundary", CRF{{.use_boundary = false}}, {features});
}

}  // namespace maskgrad::tests
