#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <maskgrad/core/io/array.hpp>
#include <maskgrad/core/tensor.hpp>

namespace maskgrad::conformance {

/// A conformance case as its file says it: what a layer, a loss or an optimizer must compute.
struct Case {
  std::string name, kind, subject;
  std::string config;                    ///< JSON, in the factory's spelling
  std::vector<std::string> message_has;  ///< of a case that must raise
  bool training = false;
  DType real = DType::f64;  ///< the type that reals are computed in
  double rtol = 0, atol = 0;
  std::map<std::string, Array> arrays;

  bool has(const std::string& array) const { return arrays.count(array) > 0; }
  /// An array as a dense tensor, reals in `real`.
  Tensor tensor(const std::string& array) const;
  /// No mask where there is none of that name.
  Mask mask(const std::string& array) const;
  /// The numbered names there are: `base` alone, or `base.0`, `base.1`, ...
  std::vector<std::string> numbered(const std::string& base) const;
  /// What follows `prefix` in the names that begin with it.
  std::vector<std::string> under(const std::string& prefix) const;
};

/// The case in a file; `f32`: to be run in f32, with its loose tolerance.
/// Throws: what the file readers throw; FileError for a format that is not 1.
Case read_case(const std::filesystem::path& path, bool f32);

}  // namespace maskgrad::conformance
