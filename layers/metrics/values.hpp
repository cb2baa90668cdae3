#pragma once

#include <algorithm>
#include <span>

#include <maskgrad/core/rows.hpp>
#include <maskgrad/layers/losses/pairs.hpp>

/// What metrics are made of: targets, predictions and weights under the AND of all their masks, so
/// that their rows stand side by side.
namespace maskgrad::metrics {

struct Weighted {
  Tensor target, prediction;
  Tensor weight;  ///< f64, one for each valid index of the first axes; 1 where none is given
};

/// Weights for the first `axes` axes of a pair that stands under one mask.
/// Throws:   as losses::weights_at.
Weighted weighted(std::string_view where, const losses::Pair& pair, int axes,
                  const Tensor& sample_weight);
/// y_pred [..., features] and a target like it, with a weight for each position; MaskError for a
/// mask over features.
Weighted weighted_rows(std::string_view where, const Tensor& y_true, const Tensor& y_pred,
                       const Tensor& sample_weight);

/// Ids [...] of the classes that scores [..., classes] are for, both under the AND of their masks.
/// Throws:   ShapeError, TypeError; IndexError for an id that is no class; MaskError for a mask
///           over classes.
struct Classified {
  Tensor ids, scores;
};
Classified classified(std::string_view where, const Tensor& ids, const Tensor& scores);

/// IndexError, with the place, for a valid id below 0 or not below `classes`.
void check_ids(std::string_view where, std::string_view what, const Tensor& ids,
               std::int64_t classes);
/// IndexError, with the place, for a valid value that is neither 0 nor 1; with `weight`, one for
/// each, what has the weight 0 is not read.
void check_labels(std::string_view where, const Tensor& y_true, const Tensor& weight = {});

/// y_true, or, where it is ids [...] of the classes of y_pred [..., classes], 1 at theirs and 0
/// elsewhere; of one class, the ids 0 and 1 themselves. IndexError for a valid id that is no class.
Tensor labels_for(std::string_view where, const Tensor& y_true, const Tensor& y_pred);

/// The features of the i-th valid position.
template <extend::Real T>
std::span<const T> row(const Tensor& x, std::int64_t i) {
  const auto width = x.shape().back();
  return rows::of<T>(x).subspan(static_cast<std::size_t>(i * width),
                                static_cast<std::size_t>(width));
}

/// Whether a score is NaN: what it says of its position is then NaN too.
template <extend::Real T>
bool any_nan(std::span<const T> scores) {
  bool any = false;
  for (const T s : scores) any |= s != s;
  return any;
}
/// Whether all of several scores are the same: such a position says of no class that it is the
/// greatest, and is right in none.
template <extend::Real T>
bool all_tied(std::span<const T> scores) {
  return scores.size() > 1 &&
         std::all_of(scores.begin(), scores.end(), [&](T s) { return s == scores[0]; });
}
}  // namespace maskgrad::metrics
