#pragma once

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
/// IndexError, with the place, for a valid value that is neither 0 nor 1.
void check_labels(std::string_view where, const Tensor& y_true);

/// The features of the i-th valid position.
template <Real T>
std::span<const T> row(const Tensor& x, std::int64_t i) {
  const auto width = x.shape().back();
  return rows::of<T>(x).subspan(static_cast<std::size_t>(i * width),
                                static_cast<std::size_t>(width));
}

}  // namespace maskgrad::metrics
