#pragma once

#include <maskgrad/layers/layer.hpp>
#include <maskgrad/layers/options.hpp>

namespace maskgrad {

enum class Edge { first, last };

namespace detail {
constexpr std::string_view edge_step_kind(Edge edge) {
  return edge == Edge::first ? "FirstStep" : "LastStep";
}
Tensor edge_step(Edge edge, const LayerInfo& info, const Tensor& x);
}  // namespace detail

/// The first or last valid step of each sequence, wherever its padding stands.
/// Shapes:   x [batch, time, ...] -> [batch, ...].
/// Mask:     consumes; a sequence without a valid step is masked in the result. Over single values
///           each feature has a first and last of its own.
/// Gradient: dy at that step, 0 elsewhere.
/// Throws:   ShapeError.
/// Source:   ours.
template <Edge edge>
class EdgeStep {
 public:
  using Options = NameOnly;
  static constexpr std::string_view kind = detail::edge_step_kind(edge);
  static constexpr MaskContract contract{.role = MaskRole::consumes,
                                         .why = edge == Edge::first
                                                    ? "takes the first valid step of each sequence"
                                                    : "takes the last valid step of each sequence",
                                         .sample_role = MaskRole::propagates,
                                         .keras = "has none"};

  explicit EdgeStep(Options options = {})
      : info(kind, options.name), options_(std::move(options)) {}
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const { return detail::edge_step(edge, info, x); }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  Options options_;
};

using FirstStep = EdgeStep<Edge::first>;
using LastStep = EdgeStep<Edge::last>;

}  // namespace maskgrad
