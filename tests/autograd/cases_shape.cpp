#include <maskgrad/autograd/ops/sequence/sequence.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/permute.hpp>
#include <maskgrad/autograd/ops/shape/repeat.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>

#include "cases_shape.hpp"

namespace maskgrad::tests {

Tensor third(const Tensor& x) {
  return x.size(1) == 0 ? take_step(x, 2) : select(x, 1, 2);
}

namespace in_cases_shape {

using Inputs = std::vector<Tensor>;
using enum InputKind;
using enum MaskRole;

constexpr MaskContract within{.role = propagates, .why = "works within inner axes"};
/// Inner axes only: a mask over every axis leaves none.
constexpr MaskContract inner_only{
    .role = propagates, .why = "works along an inner axis", .full_role = unsupported};
constexpr MaskContract moves_mask{.role = supports, .why = "treats the mask as it does the values"};
/// Mask axes and inner axes would mix under [batch, time].
constexpr MaskContract mixes{.role = unsupported,
                             .why = "an axis would hold mask axes and inner axes",
                             .sample_role = propagates,
                             .full_role = supports};

constexpr std::string_view positions = "it names positions, not valid steps";
constexpr std::string_view no_batch = "the result has no axis for the batch alone";

Shape lead(const Tensor& x) {
  return {x.size(0), x.size(1)};
}

void add_reshape(std::vector<OpCase>& cases) {
  cases.push_back({.op = "reshape",
                   .variant = "features split",
                   .f =
                       [](const Tensor& x) {
                         return reshape(x, lead(x) + Shape{2, 2});
                       },
                   .inputs = {{{4}}},
                   .contract = within});
  cases.push_back(
      {.op = "reshape",
       .variant = "batch and time merged",
       .f =
           [](const Tensor& x) {
             return reshape(x, {-1, 3});
           },
       .inputs = {{{3}}},
       .contract = {.role = supports, .why = "the mask is merged too", .sample_role = unsupported},
       .laws = {.batch_axis = -1, .not_alone = no_batch, .not_split = no_batch}});
  cases.push_back({.op = "flatten",
                   .variant = "features",
                   .f = [](const Tensor& x) { return flatten(x, 2); },
                   .inputs = {{{2, 3}}},
                   .contract = within});
  cases.push_back({.op = "flatten",
                   .variant = "all but the batch",
                   .f = [](const Tensor& x) { return flatten(x); },
                   .inputs = {{{2}}},
                   .contract = mixes});
  for (int axis : {0, 1, 2, -1}) {
    cases.push_back({.op = "expand_dims",
                     .variant = "axis " + std::to_string(axis),
                     .f = [axis](const Tensor& x) { return expand_dims(x, axis); },
                     .inputs = {{{3}}},
                     .contract = within,
                     .laws = {.batch_axis = axis == 0 ? 1 : 0}});
    cases.push_back({.op = "squeeze",
                     .variant = "what expand_dims put at axis " + std::to_string(axis),
                     .f = [axis](const Tensor& x) { return squeeze(expand_dims(x, axis), axis); },
                     .inputs = {{{3}}},
                     .contract = within});
  }
}

void add_permute(std::vector<OpCase>& cases) {
  cases.push_back({.op = "permute",
                   .variant = "features",
                   .f =
                       [](const Tensor& x) {
                         return permute(x, {0, 1, 4, 2, 3});
                       },
                   .inputs = {{{2, 1, 3}}},
                   .contract = within});
  cases.push_back({.op = "permute",
                   .variant = "batch with time, and features",
                   .f =
                       [](const Tensor& x) {
                         return permute(x, {1, 0, 3, 2});
                       },
                   .inputs = {{{2, 3}}},
                   .contract = {.role = supports,
                                .why = "mask axes change places among themselves",
                                .sample_role = unsupported},
                   .laws = {.batch_axis = 1}});
  cases.push_back({.op = "transpose",
                   .variant = "time with features",
                   .f = [](const Tensor& x) { return transpose(x, 1, -1); },
                   .inputs = {{{3}}},
                   .contract = mixes});
  cases.push_back({.op = "moveaxis",
                   .f = [](const Tensor& x) { return moveaxis(x, -1, 2); },
                   .inputs = {{{2, 3}}},
                   .contract = within});
}

void add_slice(std::vector<OpCase>& cases) {
  cases.push_back({.op = "slice",
                   .variant = "features",
                   .f = [](const Tensor& x) { return slice(x, -1, 1, -1); },
                   .inputs = {{{4}}},
                   .contract = within});
  cases.push_back({.op = "slice",
                   .variant = "every second feature",
                   .f = [](const Tensor& x) { return slice(x, 2, 0, to_end, 2); },
                   .inputs = {{{5, 2}}},
                   .contract = within});
  cases.push_back({.op = "slice",
                   .variant = "every second step",
                   .f = [](const Tensor& x) { return slice(x, 1, 0, to_end, 2); },
                   .inputs = {{{2}}},
                   .contract = moves_mask,
                   .laws = {.not_alone = positions}});
  cases.push_back({.op = "select",
                   .variant = "a feature",
                   .f = [](const Tensor& x) { return select(x, 2, -2); },
                   .inputs = {{{3, 2}}},
                   .contract = within});
  cases.push_back({.op = "select",
                   .variant = "a step",
                   .f = third,
                   .inputs = {{{3}}},
                   .contract = moves_mask,
                   .laws = {.not_alone = positions}});
}

void add_concatenate(std::vector<OpCase>& cases) {
  const auto joined = [](int axis) {
    return [axis](const Inputs& x) { return concatenate(x, axis); };
  };
  cases.push_back({.op = "concatenate",
                   .variant = "features",
                   .f = joined(-1),
                   .inputs = {{{3}}, {{2}}, {{3}}},
                   .contract = within});
  cases.push_back({.op = "concatenate",
                   .variant = "features, one without a mask",
                   .f = joined(2),
                   .inputs = {{{2, 2}}, {{1, 2}, covered}},
                   .contract = inner_only,
                   .laws = {.full = false}});
  cases.push_back({.op = "concatenate",
                   .variant = "steps",
                   .f = joined(1),
                   .inputs = {{{3}}, {{3}}},
                   .contract = moves_mask});
  cases.push_back({.op = "concatenate",
                   .variant = "steps, one without a mask",
                   .f = joined(1),
                   .inputs = {{{3}}, {{3}, dense}},
                   .contract = moves_mask,
                   .laws = {.samples = false, .not_alone = "a part without a mask is all valid"}});
  cases.push_back({.op = "concatenate",
                   .variant = "sequences",
                   .f = joined(0),
                   .inputs = {{{3}}, {{3}}},
                   .contract = moves_mask,
                   .laws = {.batch_axis = -1, .not_alone = no_batch, .not_split = no_batch}});
  for (int axis : {0, 1, 2, -1}) {
    cases.push_back({.op = "stack",
                     .variant = "axis " + std::to_string(axis),
                     .f = [axis](const Inputs& x) { return stack(x, axis); },
                     .inputs = {{{3}}, {{3}}},
                     .contract = moves_mask,
                     .laws = {.batch_axis = axis == 0 ? 1 : 0}});
  }
}

void add_repeat(std::vector<OpCase>& cases) {
  auto put = [&](const char* op, const char* variant, const Callable& f, const Shape& shape,
                 const MaskContract& c) {
    cases.push_back({.op = op, .variant = variant, .f = f, .inputs = {{shape}}, .contract = c});
  };
  put(
      "repeat", "", [](const Tensor& x) { return repeat(x, 2, 2); }, {3, 2}, inner_only);
  put(
      "tile", "", [](const Tensor& x) { return tile(x, 3, 2); }, {3, 2}, inner_only);
  put(
      "tile", "no times", [](const Tensor& x) { return tile(x, 0, 2); }, {3}, inner_only);
  put(
      "pad", "", [](const Tensor& x) { return pad(x, 2, 1, 2, 0.5); }, {3, 2}, inner_only);
  put(
      "roll", "", [](const Tensor& x) { return roll(x, -1, 2); }, {3, 2}, inner_only);
  put(
      "broadcast_to", "features",
      [](const Tensor& x) {
        return broadcast_to(x, lead(x) + Shape{3, 4});
      },
      {3, 1}, within);
  cases.push_back(
      {.op = "broadcast_to",
       .variant = "a new axis",
       .f = [](const Tensor& x) { return broadcast_to(x, Shape{2} + lead(x) + Shape{3}); },
       .inputs = {{{3}}},
       .contract = moves_mask,
       .laws = {.batch_axis = 1}});
}

}  // namespace in_cases_shape

std::vector<OpCase> shape_cases() {
  using namespace in_cases_shape;
  std::vector<OpCase> cases;
  for (auto add : {add_reshape, add_permute, add_slice, add_concatenate, add_repeat}) {
    add(cases);
  }
  for (auto& c : gather_cases()) cases.push_back(std::move(c));
  return cases;
}

}  // namespace maskgrad::tests
