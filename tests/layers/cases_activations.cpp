#include "layers/layer_rows.hpp"

namespace maskgrad::tests {

void activations_cases(Rows& rows) {
  const CaseInput away{.shape = {3}, .draw = Draw::away_from_zero};
  rows.add("", ReLU{}, {away});
  rows.add("all options", ReLU{{.max_value = 0.9, .negative_slope = 0.1, .threshold = 0.1}},
           {away});
  rows.add("", LeakyReLU{}, {away});
  rows.add("", ELU{{.alpha = 1.3}}, {away});
  rows.add("", PReLU{{.alpha_initializer = "random_normal"}}, {away});
  rows.add("all features shared",
           PReLU{{.alpha_initializer = "random_normal", .shared_axes = {{1, 2}}}}, {away});
}

}  // namespace maskgrad::tests
