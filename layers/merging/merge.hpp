#pragma once

#include <maskgrad/layers/layer/layer.hpp>
#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad {

namespace detail {

/// What becomes of the values of several inputs at one position.
enum class Merging { add, subtract, multiply, average, maximum, minimum };

constexpr std::string_view merging_kind(Merging how) {
  constexpr std::string_view kinds[] = {"Add",     "Subtract", "Multiply",
                                        "Average", "Maximum",  "Minimum"};
  return kinds[static_cast<std::size_t>(how)];
}
Tensor merged(Merging how, const Tensors& inputs);

/// Several inputs value by value, of which each layer below is one.
/// Shapes:   [batch, ...], one or more (Subtract: two) -> their shapes broadcast. One with fewer
///           axes gets axes of size 1 behind the batch: [batch, features] meets every step.
/// Mask:     propagates the AND of the masks there are; an input without one is valid everywhere.
/// Gradient: zero where the AND is false, whatever the input's own mask.
/// Throws:   ShapeError for sizes that do not broadcast, another batch, another number of inputs;
///           TypeError for types that differ.
/// Source:   Keras 3, merging layers.
/// Example:  mg::Add{}({x, dense});  // [4, 5, 3] under x's mask: dense is added to every step
template <Merging how>
class Merge {
 public:
  using Options = extend::NameOnly;
  static constexpr std::string_view kind = merging_kind(how);
  static constexpr MaskContract contract{
      .role = MaskRole::propagates,
      .why = "each position is merged by itself",
      .after = "the AND of the inputs' masks",
      .keras = "the OR of the masks; none where one input has none"};

  explicit Merge(Options options = {}) : info(kind, options.name), options_(std::move(options)) {}
  Tensor operator()(const Tensors& inputs) { return call(*this, inputs).front(); }
  Tensor forward(const Tensors& inputs) const { return merged(how, inputs); }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  Options options_;
};

}  // namespace detail

/// a + b + ...
using Add = detail::Merge<detail::Merging::add>;
/// a - b, of two inputs.
using Subtract = detail::Merge<detail::Merging::subtract>;
/// a b ...
using Multiply = detail::Merge<detail::Merging::multiply>;
/// (a + b + ...) / n, of real numbers.
using Average = detail::Merge<detail::Merging::average>;
/// The greatest; a tie sends half of the gradient to each of two.
using Maximum = detail::Merge<detail::Merging::maximum>;
/// The least; ties as in Maximum.
using Minimum = detail::Merge<detail::Merging::minimum>;

}  // namespace maskgrad
