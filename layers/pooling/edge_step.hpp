#pragma once

#include <maskgrad/layers/layer/layer.hpp>
#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad {

namespace detail {

enum class StepEdge { first, last };

constexpr std::string_view edge_step_kind(StepEdge edge) {
  return edge == StepEdge::first ? "FirstStep" : "LastStep";
}
Tensor edge_step(StepEdge edge, const Tensor& x);

/// The first or last valid step of each sequence, wherever its padding stands.
/// Shapes:   x [batch, time, ...] -> [batch, ...].
/// Mask:     consumes; a sequence without a valid step is masked in the result. Over single values
///           each feature has a first and last of its own.
/// Gradient: dy at that step, 0 elsewhere.
/// Throws:   ShapeError.
/// Source:   ours.
/// Example:  mg::LastStep{}(x);  // [4, 3]: of the steps 0 to 4, those numbered 4, 2, 0 and 3
template <StepEdge edge>
class EdgeStep {
 public:
  using Options = extend::NameOnly;
  static constexpr std::string_view kind = edge_step_kind(edge);
  static constexpr MaskContract contract{.role = MaskRole::consumes,
                                         .why = edge == StepEdge::first
                                                    ? "takes the first valid step of each sequence"
                                                    : "takes the last valid step of each sequence",
                                         .sample_role = MaskRole::propagates,
                                         .keras = "has none"};
  static constexpr TimeContract time = result_so_far;

  explicit EdgeStep(Options options = {})
      : info(kind, options.name), options_(std::move(options)) {}
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const { return edge_step(edge, x); }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  Options options_;
};

}  // namespace detail

/// The first valid step of each sequence, see EdgeStep.
using FirstStep = detail::EdgeStep<detail::StepEdge::first>;
/// The last valid step of each sequence, see EdgeStep.
using LastStep = detail::EdgeStep<detail::StepEdge::last>;

}  // namespace maskgrad
