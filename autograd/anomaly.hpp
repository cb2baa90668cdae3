#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

namespace tape {
class Node;
}

/// While one lives, this thread looks at every result that goes on the tape and at every gradient
/// that a backward hands on; the first that has a NaN or an infinity is a GradError naming the
/// operation, the layer, the position and the direction. For looking for a fault: every value is
/// read once more. Without one nothing is looked at.
/// Example:  const mg::DetectAnomaly guard;
///           mg::mean_squared_error(y, model(x)).backward();
class DetectAnomaly {
 public:
  DetectAnomaly();
  ~DetectAnomaly();
  DetectAnomaly(const DetectAnomaly&) = delete;
  DetectAnomaly& operator=(const DetectAnomaly&) = delete;

  /// That of this thread; null where there is none.
  static DetectAnomaly* current();
  /// A node got an output. GradError where it is not finite.
  void made(const tape::Node& node, const Tensor& output);
  /// A node's backward ran. GradError where what it handed on is not finite.
  void ran(const tape::Node& node);

 private:
  std::unordered_map<std::uint64_t, std::pair<std::string, std::string>> layers_;  // kind, path
  DetectAnomaly* before_;
};

namespace detail {
/// The first stored value that is NaN or infinite, as `nan at [2, 0, 5]`; empty where there is
/// none.
std::string first_not_finite(const Tensor& x);
}  // namespace detail

}  // namespace maskgrad
