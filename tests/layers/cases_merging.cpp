#include "layers/layer_rows.hpp"

namespace maskgrad::tests {
namespace in_cases_merging {

const CaseInput covered{.shape = {3}, .kind = InputKind::covered};
const CaseInput narrow{.shape = {2}};

template <class L>
void merge_cases(Rows& rows) {
  rows.add("", L{}, {features, features});
  rows.add("one without a mask", L{}, {covered, features});
  rows.add("broadcast", L{}, {features, {.shape = {1}}});
  rows.add("samples", L{}, {features, state});
}

void dot_cases(Rows& rows) {
  const LawOptions paired{.steps = false};  // which it refuses
  const LawOptions by_keys{.not_alone = "the second input's steps are an axis of the result"};
  rows.add("steps by samples", Dot{{.axes = -1}}, {features, state});
  rows.add("samples by steps, normalize", Dot{{.axes = {1, 2}, .normalize = true}},
           {state, features});
  rows.add("steps by dense steps", Dot{{.axes = 2}},
           {features, {.shape = {3}, .kind = InputKind::dense}}, by_keys);
  rows.add("steps by steps", Dot{{.axes = 2, .normalize = true}}, {features, features}, paired);
  rows.add("an axis of each", Dot{{.axes = {2, 3}}}, {features, {.shape = {2, 3}}}, paired);
}

}  // namespace in_cases_merging

void merging_cases(Rows& rows) {
  using namespace in_cases_merging;
  merge_cases<Add>(rows);
  merge_cases<Subtract>(rows);
  merge_cases<Multiply>(rows);
  merge_cases<Average>(rows);
  merge_cases<Maximum>(rows);
  merge_cases<Minimum>(rows);
  rows.add("one", Add{}, {features});
  rows.add("three", Add{}, {features, covered, features});
  rows.add("three", Average{}, {features, features, features});
  rows.add("three", Multiply{}, {features, features, features});
  rows.add("features", Concatenate{}, {features, narrow, features});
  rows.add("features, one without a mask", Concatenate{{.axis = 2}}, {narrow, covered},
           {.full = false});
  rows.add("steps", Concatenate{{.axis = 1}}, {features, features});
  rows.add("steps, one without a mask", Concatenate{{.axis = 1}},
           {features, {.shape = {3}, .kind = InputKind::dense}},
           {.samples = false, .not_alone = "a part without a mask is all valid"});
  dot_cases(rows);
}

}  // namespace maskgrad::tests
