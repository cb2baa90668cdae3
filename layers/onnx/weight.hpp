#pragma once

#include <vector>

#include <maskgrad/autograd/parameter.hpp>

namespace maskgrad::onnx {

/// A weight on its way into a file. It is only moved there, never computed with: so a file is read
/// back by writing the places of values in their stead (load.cpp).
struct Weight {
  DType dtype = DType::f32;
  std::vector<std::int64_t> dims;
  std::vector<double> values;

  std::int64_t count() const { return static_cast<std::int64_t>(values.size()); }
};

Weight weight_of(const Parameter& parameter);
Weight constant_weight(DType dtype, std::vector<std::int64_t> dims, double value);
Weight reshaped(Weight w, std::vector<std::int64_t> dims);
/// Axis i of the result is axis order[i] of w.
Weight transposed(const Weight& w, const std::vector<std::size_t>& order);
/// The last axis in `order.size()` equal parts, in that order.
Weight parts_of(const Weight& w, const std::vector<std::size_t>& order);
/// One behind the other on the last axis; the axes before it are the same.
Weight joined(const Weight& a, const Weight& b);

}  // namespace maskgrad::onnx
