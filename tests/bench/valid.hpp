#pragma once

#include <string>
#include <vector>

#include <maskgrad/maskgrad.hpp>

namespace maskgrad::bench {

/// Which steps are there: all, or lengths even over 1 ... 2 * share * time, cut at time, of a fixed
/// seed; right-padded, or the same number of valid steps with holes.
struct Valid {
  std::string name;  ///< valid100, valid50, valid25, holes50
  double share;
  bool holes = false;
};
inline const std::vector<Valid> valids{
    {"valid100", 1}, {"valid50", 0.5}, {"valid25", 0.25}, {"holes50", 0.5, true}};

/// Valid steps of each sequence.
std::vector<std::int64_t> lengths_of(std::int64_t batch, std::int64_t time, const Valid& valid);
/// The mask [batch, time] of them.
Mask mask_of(std::int64_t batch, std::int64_t time, const Valid& valid);
/// Share of the steps that are valid.
double real_share(const Tensor& x);

}  // namespace maskgrad::bench
