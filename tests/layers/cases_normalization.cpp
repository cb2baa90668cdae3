#include "layers/layer_rows.hpp"

namespace maskgrad::tests {

void normalization_cases(Rows& rows) {
  constexpr std::string_view statistics = "statistics over the batch";
  const CaseInput four{.shape = {4}};
  rows.add("", LayerNormalization{}, {four});
  rows.add("neither scale nor center", LayerNormalization{{.center = false, .scale = false}},
           {four});
  rows.add("", RMSNormalization{}, {four});
  rows.add("", UnitNormalization{}, {four});
  rows.add("", GroupNormalization{{.groups = 2}}, {four});
  rows.add("a feature each, no center", GroupNormalization{{.groups = -1, .center = false}},
           {four});
  rows.add("", BatchNormalization{}, {four}, {.not_alone = statistics, .not_split = statistics});
}

}  // namespace maskgrad::tests
