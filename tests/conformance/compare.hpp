#pragma once

#include <set>
#include <string>
#include <vector>

#include "case.hpp"

namespace maskgrad::conformance {

/// Holds what was computed against what a case expects, and remembers what differs most.
class Comparison {
 public:
  explicit Comparison(const Case& expected) : case_(expected) {}

  /// The values of `array` in the case against `got`, read as dense, zero where it is masked; an
  /// undefined tensor is zeros. `exact`: where this mask is false the values must be exactly zero.
  void values(const std::string& array, const Tensor& got, const Mask& exact = {});
  /// The mask `array`, or that there is none where the case has none.
  void mask(const std::string& array, const Tensor& got);
  /// Something that is wrong whatever the numbers are.
  void wrong(std::string what);

  /// What differs most, where, by how much; empty where all is as expected. Something that the case
  /// expects and nobody looked at is wrong.
  std::string what();

 private:
  const Case& case_;
  std::set<std::string> seen_;
  double worst_ = 1;  ///< the greatest difference, in tolerances
  std::string what_;
};

}  // namespace maskgrad::conformance
