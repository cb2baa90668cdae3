#pragma once

#include <vector>

#include <maskgrad/layers/time_laws.hpp>

/// Outputs as time laws compare them: the values of each step of a sequence.
namespace maskgrad::detail {

using Steps = std::vector<std::vector<double>>;

bool has_steps(const Tensor& y);
/// The valid steps of sequence `s`; of a result over the steps so far, that one, if it is there.
Steps steps_in(const Tensor& y, std::int64_t s);
/// The greatest difference, relative to values above 1.
double distance(const std::vector<double>& a, const std::vector<double>& b);
/// Whether they differ by no more than sums in another order do, in that type.
inline bool near(const std::vector<double>& a, const std::vector<double>& b, DType dtype) {
  return distance(a, b) <= (dtype == DType::f32 ? 2e-4 : 1e-10);
}
/// The real type that a model computes in: of its inputs, else of its weights.
DType computes_in(const TimeRunner& run, const Tensors& inputs);

}  // namespace maskgrad::detail
