#pragma once

#include <concepts>
#include <vector>

#include <maskgrad/autograd/parameter.hpp>

namespace maskgrad {

struct GradientsOptions {
  /// The gradients are on the tape, so that what is made of them can be differentiated again.
  bool create_graph = false;
  /// The tape can be used again; so it can with create_graph.
  bool retain = false;
  /// An input that y does not depend on has an undefined gradient instead of being an error.
  bool allow_unused = false;
  /// The gradient of each y that is no scalar, of its shape, type and mask; none: 1 for each.
  std::vector<Tensor> seeds = {};
};

/// The gradients of y by each x, as values: what the tensors hold in `.grad` stays as it is.
/// Shapes:   y scalars, or seeds; each result has the shape, type and mask of its x.
/// Throws:   GradError for an x that is not on the tape, or that y does not depend on, by its
///           number; for a y that is not; ShapeError for a y that is no scalar without seeds.
/// Example:  const mg::Tensor w = mg::ones({3}).with_grad();
///           const mg::Tensor y = mg::sum(mg::square(x * w));
///           const mg::Tensor g = mg::gradients(y, {w}, {.create_graph = true})[0];
///           const mg::Tensor penalty = mg::sum(mg::square(g));  // can be differentiated
std::vector<Tensor> gradients(const std::vector<Tensor>& y, const std::vector<Tensor>& x,
                              const GradientsOptions& options = {});
std::vector<Tensor> gradients(const Tensor& y, const std::vector<Tensor>& x,
                              const GradientsOptions& options = {});
/// By the parameters of a model.
template <std::same_as<Parameter> P>
std::vector<Tensor> gradients(const Tensor& y, const std::vector<P>& parameters,
                              const GradientsOptions& options = {}) {
  return gradients(y, std::vector<Tensor>(parameters.begin(), parameters.end()), options);
}

}  // namespace maskgrad
