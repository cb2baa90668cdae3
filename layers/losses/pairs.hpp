#pragma once

#include <maskgrad/layers/losses/loss.hpp>

/// What losses are made of; for losses of one's own, beside make_loss.
namespace maskgrad::losses {

struct Pair {
  Tensor target, prediction;
};

/// Both under the AND of their masks, so that neither is read where the other is not valid.
Pair together(const Tensor& target, const Tensor& prediction);

/// The same for a target of the prediction's shape; ids and truth values become its type.
/// Throws:   ShapeError (nothing is broadcast), TypeError.
Pair alike(std::string_view where, const Tensor& target, const Tensor& prediction);

/// The same for functions of all features of a position. MaskError for a mask over features.
Pair whole_rows(std::string_view where, const Tensor& target, const Tensor& prediction);

/// One value for each position: the mean over features, unless they are positions themselves.
Tensor at_positions(const Tensor& values);
/// How many axes those have.
int position_axes(const Tensor& values);

/// weight x, value by value; where the weight is 0 x is not read.
Tensor weighed(const Tensor& weight, const Tensor& x);
/// x; where the weight is 0, 0, and x is not read.
Tensor unless_0(const Tensor& weight, const Tensor& x);

/// The weights as one for each valid position, finite and not below 0; those that are masked mask
/// their positions. Throws: ShapeError, OptionError.
Tensor weights_at(std::string_view name, const Tensor& positions, const Tensor& weight);

/// A probability, as of label smoothing; OptionError otherwise.
void check_share(std::string_view where, std::string_view option, double value);

/// Positions that are valid in one of the two alone, where both have a mask.
std::int64_t fallen_away(const Tensor& target, const Tensor& prediction);

/// What a loss is of: its name, and the two whose masks may differ.
struct Of {
  std::string_view name;
  const Tensor& target;
  const Tensor& prediction;
};

/// make_loss with the options that all losses have.
template <class Options>
Loss finish(std::string_view name, const Tensor& positions, const Options& options) {
  return make_loss(std::string(name), positions,
                   {.reduction = options.reduction, .sample_weight = options.sample_weight});
}
/// How many positions fall away; MaskError for any with `strict_lengths`.
std::int64_t checked_fallen_away(const Of& of, bool strict_lengths);
/// make_loss that counts them.
template <class Options>
Loss finish(const Of& of, const Tensor& positions, const Options& options) {
  Loss made = finish(of.name, positions, options);
  made.set_fallen_away(checked_fallen_away(of, options.strict_lengths));
  return made;
}

}  // namespace maskgrad::losses
