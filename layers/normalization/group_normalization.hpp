#pragma once

#include <maskgrad/layers/normalization/scale_and_shift.hpp>

namespace maskgrad {

struct GroupNormalizationOptions {
  std::int64_t groups = 32;
  std::int64_t axis = -1;
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  Initializer beta_initializer = "zeros";
  Initializer gamma_initializer = "ones";
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("groups", o.groups);
    f("axis", o.axis);
    f("epsilon", o.epsilon);
    f("center", o.center);
    f("scale", o.scale);
    f("beta_initializer", o.beta_initializer);
    f("gamma_initializer", o.gamma_initializer);
    f("name", o.name);
  }
};

/// Groups of neighboring features, each by its mean and variance over all valid steps of the
/// sequence; of [batch, features] over its features.
/// Shapes:   x [batch, ..., features] -> the same; gamma, beta [features].
/// Mask:     supports; refuses one over features.
/// Throws:   OptionError where `groups` (-1: one a feature) does not divide the features, for an
///           epsilon of 0 or less, or another axis than the last; ShapeError.
/// Source:   Wu and He 2018; Keras 3, GroupNormalization.
/// Example:  mg::GroupNormalization normal{{.groups = -1}};
///           mg::build(normal, spec);
///           normal(x);  // [4, 5, 3]: each feature over its sequence's valid steps
class GroupNormalization {
 public:
  using Options = GroupNormalizationOptions;
  static constexpr std::string_view kind = "GroupNormalization";
  static constexpr MaskContract contract{
      .role = MaskRole::supports,
      .why = "takes a group's statistics over each sequence's valid steps",
      .sample_role = MaskRole::propagates,
      .full_role = MaskRole::unsupported,
      .ways_out = detail::mask_whole_steps,
      .keras = "the statistics count the padding"};
  static constexpr TimeContract time = TimeContract::whole(
      "its statistics are over all steps of a sequence", "LayerNormalization · RMSNormalization");

  explicit GroupNormalization(GroupNormalizationOptions options = {});
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  void build(const Tensor& x, Builder& builder);
  Tensor forward(const Tensor& x) const;

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    detail::ScaleAndShift::each_parameter(self.weights_, f);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  Options options_;
  detail::ScaleAndShift weights_;
};

}  // namespace maskgrad
