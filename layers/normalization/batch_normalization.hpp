#pragma once

#include <maskgrad/layers/normalization/scale_and_shift.hpp>

namespace maskgrad {

struct BatchNormalizationOptions {
  std::int64_t axis = -1;
  double momentum = 0.99;
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  Initializer beta_initializer = "zeros";
  Initializer gamma_initializer = "ones";
  Initializer moving_mean_initializer = "zeros";
  Initializer moving_variance_initializer = "ones";
  bool synchronized = true;  ///< in a step of several shards: statistics of all of them
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("axis", o.axis);
    f("momentum", o.momentum);
    f("epsilon", o.epsilon);
    f("center", o.center);
    f("scale", o.scale);
    f("beta_initializer", o.beta_initializer);
    f("gamma_initializer", o.gamma_initializer);
    f("moving_mean_initializer", o.moving_mean_initializer);
    f("moving_variance_initializer", o.moving_variance_initializer);
    f("synchronized", o.synchronized);
    f("name", o.name);
  }
};

/// Each feature by its mean and (biased) variance over all valid rows of the batch; in evaluation
/// by the moving ones:
///   moving = momentum moving + (1 - momentum) batch's; a batch without a valid row changes neither
/// On ranks (see RankOptions) those of a step are of all its shards, on all ranks; without
/// `.synchronized` each shard's own. The moving ones are of all either way.
/// Shapes:   x [batch, ..., features] -> the same; gamma, beta, moving_mean, moving_variance
///           [features].
/// Mask:     supports; refuses one over features.
/// Throws:   OptionError for options out of range, and for statistics that are NaN or infinite (the
///           moving ones are then as they were); ShapeError.
/// Source:   Ioffe and Szegedy 2015; Keras 3, BatchNormalization.
/// Example:  mg::BatchNormalization normal{{.momentum = 0.9}};
///           mg::build(normal, spec);
///           normal(x);  // by mean and variance over the 13 valid steps of the batch
class BatchNormalization {
 public:
  using Options = BatchNormalizationOptions;
  static constexpr std::string_view kind = "BatchNormalization";
  static constexpr MaskContract contract{
      .role = MaskRole::supports,
      .why = "takes its statistics over all valid rows",
      .full_role = MaskRole::unsupported,
      .ways_out = detail::mask_whole_steps,
      .keras = "frozen weights (trainable=False) also stop the statistics; here Evaluate does"};
  static constexpr TimeContract time{.evaluate_only = true};

  explicit BatchNormalization(BatchNormalizationOptions options = {});
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  void build(const Tensor& x, Builder& builder);
  Tensor forward(const Tensor& x);

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    detail::ScaleAndShift::each_parameter(self.weights_, f);
    f("moving_mean", self.moving_mean_);
    f("moving_variance", self.moving_variance_);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  /// Of the batch's values `own` are this tensor's.
  void move(const BatchResult& batch, std::int64_t own) const;

  Options options_;
  detail::ScaleAndShift weights_;
  Parameter moving_mean_, moving_variance_;
};

}  // namespace maskgrad
