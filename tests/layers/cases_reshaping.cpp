#include "layers/layer_rows.hpp"

namespace maskgrad::tests {

void reshaping_cases(Rows& rows) {
  const CaseInput values{.shape = {}}, table{.shape = {2, 3}}, six{.shape = {6}};
  const LawOptions refuses_steps{.steps = false};
  rows.add("", RepeatVector{{.n = 3}}, {values});
  rows.add("features", Permute{{.dims = {1, 3, 2}}}, {table});
  rows.add("features before time", Permute{{.dims = {2, 1, 3}}}, {table}, refuses_steps);
  rows.add("features split", Reshape{{.target_shape = {-1, 2, 3}}}, {six});
  rows.add("features merged", Reshape{{.target_shape = {-1, 6}}}, {table});
  rows.add("steps merged with features", Reshape{{.target_shape = {6 * case_time}}}, {six},
           refuses_steps);
  rows.add("", Flatten{}, {table});
  rows.add("channels_first", Flatten{{.data_format = "channels_first"}}, {table});
  rows.add("features", Reverse{}, {features});
  rows.add("values", Reverse{}, {values});
  rows.add("tables", Reverse{}, {table});
}

}  // namespace maskgrad::tests
