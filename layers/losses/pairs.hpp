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
/// The same; counts what falls away, or refuses it.
Loss counted(const Of& of, Loss made, bool strict_lengths);
template <class Options>
Loss finish(const Of& of, const Tensor& positions, const Options& options) {
  return counted(of, finish(of.name, positions, options), options.strict_lengths);
}
/// The same with a class's weight at each position; they count as sample weights do.
template <class Options>
Loss finish(const Of& of, const Tensor& positions, const Options& options,
            const Tensor& of_classes) {
  if (!of_classes.defined() || positions.is_meta()) return finish(of, positions, options);
  const auto name = of.name;
  Options weighted = options;
  const auto& own = options.sample_weight;
  if (own.defined() && own.rank() < 2 && positions.rank() > 1 &&
      options.reduction == Reduction::per_sequence) {
    fail<OptionError>(name,
                      "class weights and one weight a sequence, {}, under per_sequence; use one of "
                      "them, or the reduction mean or sum",
                      own.describe());
  }
  const Tensor classes = weights_at(name, positions, of_classes);
  weighted.sample_weight = own.defined() ? classes * weights_at(name, positions, own) : classes;
  return finish(of, positions, weighted);
}

}  // namespace maskgrad::losses
