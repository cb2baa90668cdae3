#pragma once

#include <functional>
#include <span>

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

// What a model that was trained with ctc says. Repeats of a path are merged and its blanks dropped.
// The logits are those of ctc; log probabilities are as good, as a softmax leaves them as they are.
// Mask:     produces; steps are the valid ones of each sequence, in order. A sequence without one
//           has no labels and no score, so that scores have a mask, which is dropped where it
//           would be all true. No gradient.
// Throws:   ShapeError, TypeError; MaskError for a mask over classes; OptionError for an option out
//           of its range and, with the place, for a logit that is NaN or +infinity and for a step
//           whose logits are all -infinity.

struct CTCDecodeResult {
  Tensor labels;  ///< i64 under a full mask of their numbers, which may be 0
  Tensor scores;  ///< log probabilities, in the type of the logits
};

struct CTCGreedyOptions {
  std::int64_t blank_index = 0;
  bool merge_repeated = true;  ///< false: only blanks are dropped
};

/// The path of the likeliest class at each step, the first of equal ones. Its score is the log
/// probability of this one path, not of all that read as its labels.
/// Shapes:   logits [batch, time, classes] -> labels [batch, longest], scores [batch].
/// Source:   Graves et al. 2006. The scores of Keras 3's ctc_decode and of TensorFlow's
///           ctc_greedy_decoder are minus the sum of the path's logits.
/// Example:  mg::ctc_greedy_decode(x, {.blank_index = 2}).labels;
CTCDecodeResult ctc_greedy_decode(const Tensor& logits, const CTCGreedyOptions& options = {});

/// What a beam search adds to log probabilities: log weights, -infinity where it forbids. Weigh a
/// language model against the logits by a factor in them.
struct CTCScorer {
  /// Of `label` behind the labels `prefix`. Each step asks for one prefix after the other, and for
  /// what it has not asked for while that stayed in the beam; never for a logit of -infinity.
  std::function<double(std::span<const std::int64_t> prefix, std::int64_t label)> append = {};
  /// Of ending behind `labels`.
  std::function<double(std::span<const std::int64_t> labels)> end = {};
};

struct CTCBeamOptions {
  std::int64_t blank_index = 0;
  std::int64_t beam_width = 100;  ///< prefixes that are kept at each step
  std::int64_t top_paths = 1;     ///< results of each sequence; beam_width at most
  CTCScorer scorer = {};
};

/// The likeliest labels by prefix beam search, best first. A score is the log probability of all
/// paths that read as the labels, as far as the beam held them, and what the scorer added. Equal
/// scores stand in the order of their labels; there may be fewer results than top_paths.
/// The scorer runs in this thread, for one sequence after the other; without one they run on all
/// threads, and each is decoded as if alone.
/// Shapes:   logits [batch, time, classes] -> labels [batch, top_paths, longest], scores
///           [batch, top_paths], masked where there is no such result.
/// Throws:   as above; OptionError for a log weight that is NaN or +infinity; what the scorer does.
/// Source:   Graves 2012; Hannun et al. 2014. TensorFlow's ctc_beam_search_decoder; Keras 3,
///           ctc_decode, has the paths on the first axis.
/// Example:  const mg::CTCScorer longer{.append = [](auto, auto) { return 0.5; }};
///           mg::ctc_beam_decode(x, {.top_paths = 2, .scorer = longer}).scores;  // [4, 2]
CTCDecodeResult ctc_beam_decode(const Tensor& logits, const CTCBeamOptions& options = {});

}  // namespace maskgrad
