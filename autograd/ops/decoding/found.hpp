#pragma once

#include <string_view>
#include <vector>

#include <maskgrad/autograd/extend.hpp>

/// What decoders have in common.
namespace maskgrad::decoding {

struct Path {
  std::vector<std::int64_t> labels;
  double score = 0;
};
/// The paths found for each sequence, best first.
using Found = std::vector<std::vector<Path>>;

/// Their scores, `lead` being [batch], of one path each, or [batch, paths]; under a mask where a
/// sequence has fewer or x a mask of samples.
Tensor scores_of(std::string_view op, const Tensor& x, const Found& found, const Shape& lead);
/// The same for tensors without data.
Tensor scores_meta(std::string_view op, const Tensor& x, const Shape& lead);

}  // namespace maskgrad::decoding
