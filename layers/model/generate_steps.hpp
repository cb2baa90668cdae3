#pragma once

#include <algorithm>
#include <vector>

#include <maskgrad/layers/model/generate.hpp>

/// What generating by draws and by beams share.
namespace maskgrad::detail {

using Ids = std::vector<std::int64_t>;

/// The valid ids of each sequence, and the way back: [batch, longest] under their lengths.
std::vector<Ids> ids_of(const Tensor& ids);
Tensor as_ids(const std::vector<Ids>& sequences);
/// One id for each sequence that is open.
Tensor one_step(const std::vector<std::int64_t>& ids, const std::vector<bool>& open);
inline bool stops(std::int64_t id, const GenerateOptions& o) {
  return std::find(o.stop.begin(), o.stop.end(), id) != o.stop.end();
}

std::vector<double> log_softmax_of(std::vector<double> logits);
/// Of each sequence the log probabilities of the id behind its last step; empty where it has no
/// step. ShapeError unless y is [batch, time, ids]; OptionError, with the place, for NaN.
std::vector<std::vector<double>> log_probabilities(const Tensor& y, const GenerateOptions& o);

/// The likeliest continuation of each prompt that a beam search finds.
std::vector<Ids> followed_by_beams(Stream& stream, const std::vector<Ids>& prompts,
                                   const GenerateOptions& o);

}  // namespace maskgrad::detail
