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
inline bool near(const std::vector<double>& a, const std::vector<double>& b) {
  return distance(a, b) <= 1e-10;
}

}  // namespace maskgrad::detail
