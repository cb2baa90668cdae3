#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <maskgrad/layers/layer/trace.hpp>
#include <maskgrad/layers/layer/visit.hpp>

namespace maskgrad {

/// What a model does with masks, found by running it on meta tensors: the calls of its layers and
/// what flows between them.
class Flow {
 public:
  /// Where an input of a step comes from.
  struct Source {
    int step = -1;         ///< -1: an input of the model
    std::size_t at = 0;    ///< which result of the step, or which input
    bool through = false;  ///< operations stand between, so it is the likely one
  };

  Flow(std::vector<detail::Trace::Step> steps, Tensors inputs, Tensors outputs);

  /// The calls; a layer that wraps others stands before them.
  const std::vector<detail::Trace::Step>& steps() const { return steps_; }
  const Tensors& inputs() const { return inputs_; }
  const Tensors& outputs() const { return outputs_; }
  /// Whether the step was called by another one.
  bool nested(std::size_t step) const { return nested_[step]; }
  std::vector<Source> sources(std::size_t step) const { return sources_[step]; }
  std::vector<Source> output_sources() const { return sources_.back(); }
  /// Steps with weights that computed on the padding, because the mask was made behind them.
  std::vector<std::size_t> before_the_mask() const;

  /// A line a call: layer, role, what goes in and what comes out.
  std::string table() const;
  /// A graph for Graphviz: a box a layer, in the color of its role; an edge with a mask is thick.
  std::string dot() const;
  /// A line a call: layer, kind, result, mask, parameters; then their totals. The parameters are
  /// those of the layers of the model.
  std::string summary(const std::vector<detail::LayerView>& layers) const;

 private:
  void connect();
  std::vector<Source> find(const Tensor& x, std::size_t before,
                           const std::vector<bool>& read) const;

  std::vector<detail::Trace::Step> steps_;
  Tensors inputs_, outputs_;
  std::vector<bool> nested_;
  std::vector<std::vector<Source>> sources_;  ///< of each step, then of the model's outputs
};

/// `f32[any, any, 4] mask [any, any]`.
std::string shape_and_mask(const Tensor& x);

namespace detail {
/// `1,234,567`.
std::string grouped(std::int64_t number);
}  // namespace detail

}  // namespace maskgrad
