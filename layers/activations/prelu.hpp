#pragma once

#include <optional>
#include <vector>

#include <maskgrad/layers/layer/layer.hpp>

namespace maskgrad {

struct PReLUOptions {
  Initializer alpha_initializer = "zeros";
  std::optional<std::vector<std::int64_t>> shared_axes =
      {};  ///< with one slope for all their sizes
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("alpha_initializer", o.alpha_initializer);
    f("shared_axes", o.shared_axes);
    f("name", o.name);
  }
};

/// x above 0, alpha x below, with slopes that are learned.
/// Shapes:   x [batch, ..., features] -> the same; alpha the shape of x without batch, 1 along
///           shared axes. Axes of steps are shared without being named where they have a mask or a
///           free size, so that no number of steps binds the weight.
/// Mask:     propagates; refuses one over steps that have slopes of their own.
/// Throws:   OptionError for the batch in shared_axes, or an axis that is not there; ShapeError,
///           MaskError.
/// Source:   He et al. 2015, arXiv:1502.01852; Keras 3, PReLU.
/// Example:  mg::PReLU slopes{{.shared_axes = {{1}}}};
///           mg::build(slopes, spec);
///           slopes(x);  // [4, 5, 3], by a slope for each feature
class PReLU {
 public:
  using Options = PReLUOptions;
  static constexpr std::string_view kind = "PReLU";
  static constexpr MaskContract contract{
      .role = MaskRole::propagates,
      .why = "each value is mapped by itself, by its feature's slope",
      .keras = "the same with shared_axes=[1]; else it needs a fixed number of steps"};

  explicit PReLU(PReLUOptions options = {})
      : info(kind, options.name), options_(std::move(options)) {}
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  void build(const Tensor& x, Builder& builder);
  Tensor forward(const Tensor& x) const;

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    f("alpha", self.alpha_);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  void check_input(const Tensor& x) const;

  PReLUOptions options_;
  Parameter alpha_;
};

}  // namespace maskgrad
