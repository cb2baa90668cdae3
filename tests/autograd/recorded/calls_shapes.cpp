#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/sequence/sequence.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/autograd/ops/shape/permute.hpp>
#include <maskgrad/autograd/ops/shape/repeat.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/autograd/ops/shape/steps.hpp>

#include "calls.hpp"

namespace maskgrad::tests {
namespace in_calls_shapes {

using Inputs = std::vector<Tensor>;

Shape shape(std::initializer_list<std::int64_t> sizes) {
  return sizes;
}

const RecordedCall moves[] = {
    {"reshape", "-1, 2",
     [](const Tensor& x) {
       return reshape(x, shape({-1, 2}));
     }},
    {"reshape", "3, 2, 2",
     [](const Tensor& x) {
       return reshape(x, shape({3, 2, 2}));
     }},
    {"flatten", "", [](const Tensor& x) { return flatten(x); }},
    {"flatten", "0 to 1", [](const Tensor& x) { return flatten(x, 0, 1); }},
    {"steps_as_samples", "", steps_as_samples},
    {"samples_as_steps", "back",
     [](const Tensor& x) {
       const Tensor samples = steps_as_samples(x);
       return samples_as_steps(samples, samples, x);
     }},
    {"expand_dims", "1", [](const Tensor& x) { return expand_dims(x, 1); }},
    {"expand_dims", "-1", [](const Tensor& x) { return expand_dims(x, -1); }},
    {"squeeze", "1", [](const Tensor& x) { return squeeze(x, 1); }},
    {"squeeze", "-1", [](const Tensor& x) { return squeeze(x, -1); }},
    {"permute", "2, 0, 1",
     [](const Tensor& x) {
       return permute(x, {2, 0, 1});
     }},
    {"permute", "1, 0",
     [](const Tensor& x) {
       return permute(x, {1, 0});
     }},
    {"transpose", "0, -1", [](const Tensor& x) { return transpose(x, 0, -1); }},
    {"moveaxis", "0 to -1", [](const Tensor& x) { return moveaxis(x, 0, -1); }},
    {"moveaxis", "-1 to 0", [](const Tensor& x) { return moveaxis(x, -1, 0); }},
    {"slice", "axis 1, 1 to 3", [](const Tensor& x) { return slice(x, 1, 1, 3); }},
    {"slice", "axis 0, -2 to the end", [](const Tensor& x) { return slice(x, 0, -2); }},
    {"slice", "axis 1, 1 to the end by 2",
     [](const Tensor& x) { return slice(x, 1, 1, to_end, 2); }},
    {"select", "axis 1, -1", [](const Tensor& x) { return select(x, 1, -1); }},
    {"select", "axis 0, 1", [](const Tensor& x) { return select(x, 0, 1); }},
    {"repeat", "2, axis 1", [](const Tensor& x) { return repeat(x, 2, 1); }},
    {"repeat", "3, axis 0", [](const Tensor& x) { return repeat(x, 3, 0); }},
    {"tile", "2, axis 1", [](const Tensor& x) { return tile(x, 2, 1); }},
    {"tile", "0, axis 0", [](const Tensor& x) { return tile(x, 0, 0); }},
    {"pad", "axis 1, 1 and 2, 7", [](const Tensor& x) { return pad(x, 1, 1, 2, 7); }},
    {"roll", "2, axis 1", [](const Tensor& x) { return roll(x, 2, 1); }},
    {"roll", "-7, axis 0", [](const Tensor& x) { return roll(x, -7, 0); }},
    {"broadcast_to", "2, 4, 3",
     [](const Tensor& x) {
       return broadcast_to(x, shape({2, 4, 3}));
     }},
    {"broadcast_to", "0, 3",
     [](const Tensor& x) {
       return broadcast_to(x, shape({0, 3}));
     }},
    {"reverse", "", [](const Tensor& x) { return reverse(x); }},
    {"reverse", "axis 0", [](const Tensor& x) { return reverse(x, 0); }},
    {"shift", "1, 0.5", [](const Tensor& x) { return shift(x, 1, 0.5); }},
    {"shift", "-2", [](const Tensor& x) { return shift(x, -2); }},
    {"shift", "9", [](const Tensor& x) { return shift(x, 9); }},
    {"take_step", "1", [](const Tensor& x) { return take_step(x, 1); }},
    {"take_step", "-2", [](const Tensor& x) { return take_step(x, -2); }},
    {"last_valid", "", [](const Tensor& x) { return last_valid(x); }},
    {"first_valid", "", [](const Tensor& x) { return first_valid(x); }},
    {"drop_mask", "7", [](const Tensor& x) { return drop_mask(x, "the fill is recorded", 7); }},
};

const RecordedCall of_several[] = {
    {"concatenate", "axis -1", [](const Inputs& x) { return concatenate(x); }},
    {"concatenate", "axis 0", [](const Inputs& x) { return concatenate(x, 0); }},
    {"concatenate", "axis 1", [](const Inputs& x) { return concatenate(x, 1); }},
    {"stack", "axis 0", [](const Inputs& x) { return stack(x); }},
    {"stack", "axis -1", [](const Inputs& x) { return stack(x, -1); }},
    {"take", "", [](const Inputs& x) { return take(x[0], x[1]); }},
    {"add_at", "", [](const Inputs& x) { return add_at(x[0], x[1], x[2]); }},
    {"one_hot", "5", [](const Tensor& x) { return one_hot(x, 5, DType::f64); }},
    {"take_along_axis", "axis 0", [](const Inputs& x) { return take_along_axis(x[0], x[1], 0); }},
    {"take_along_axis", "axis 1", [](const Inputs& x) { return take_along_axis(x[0], x[1], 1); }},
    {"scatter_add", "axis 0", [](const Inputs& x) { return scatter_add(x[0], x[1], x[2], 0); }},
    {"scatter_add", "axis 1", [](const Inputs& x) { return scatter_add(x[0], x[1], x[2], 1); }},
    {"with_mask", "", [](const Inputs& x) { return with_mask(x[0], Mask::keep(x[1])); }},
    {"where", "", [](const Inputs& x) { return where(x[0], x[1], x[2]); }},
    {"or_else", "", [](const Inputs& x) { return or_else(x[0], x[1]); }},
};

}  // namespace in_calls_shapes

std::vector<RecordedCall> shape_calls() {
  using namespace in_calls_shapes;
  std::vector<RecordedCall> calls(std::begin(moves), std::end(moves));
  calls.insert(calls.end(), std::begin(of_several), std::end(of_several));
  return calls;
}

}  // namespace maskgrad::tests
