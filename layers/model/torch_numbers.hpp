#pragma once

#include <cstdint>
#include <vector>

#include <maskgrad/core/shape.hpp>

/// How the weights of layers are made of PyTorch's arrays, and these of the weights.
namespace maskgrad::torch_mapping {

/// An array of a file, or a weight, as numbers.
struct Numbers {
  std::vector<std::int64_t> shape;
  std::vector<double> values;
};
using List = std::vector<Numbers>;

/// With its axes in the opposite order.
Numbers reversed(const Numbers& x);
/// Of a matrix; as it is where it is none, which then fits nowhere.
Numbers transposed(const Numbers& x);
/// Blocks of the first axis in the order z, r, h where PyTorch has r, z, n, or the other way; as it
/// is where it does not part so.
Numbers gates_swapped(Numbers x);
/// Of two biases: both as rows, or their sum. Where their sizes differ, a shape that fits nowhere.
Numbers both(const Numbers& a, const Numbers& b, bool sum);
/// Row `i` of two.
Numbers row(const Numbers& x, std::size_t i);
/// Third `i` of the first axis; as it is where it does not part so.
Numbers third(const Numbers& x, std::size_t i);
/// Arrays one after the other on the first axis; the rest of their shapes is the first one's.
Numbers stacked(const List& parts);
/// As a matrix, or a vector, with the axis of heads joined to the one behind it (or, of the
/// output's kernel, in front of it).
Numbers heads_joined(Numbers x, bool last);
/// Under the shape `want` where that only splits one axis into two: heads and the values of each.
Numbers split_as(Numbers x, const Shape& want);

}  // namespace maskgrad::torch_mapping
