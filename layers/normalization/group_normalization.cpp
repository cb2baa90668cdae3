#include <maskgrad/layers/normalization/group_normalization.hpp>

namespace maskgrad {

GroupNormalization::GroupNormalization(GroupNormalizationOptions options)
    : info(kind, options.name),
      options_(std::move(options)),
      weights_(options_.scale, options_.center) {
  check::epsilon(kind, options_.epsilon);
  if (options_.groups == 0 || options_.groups < -1) {
    fail<OptionError>(kind, "the option .groups is {}; expected 1 or more, or -1: one a feature",
                      options_.groups);
  }
}

void GroupNormalization::build(const Tensor& x, Builder& builder) {
  weights_.build(x, builder, options_.gamma_initializer, options_.beta_initializer);
}

Tensor GroupNormalization::forward(const Tensor& x) const {
  check::feature_axis(x, options_.axis);
  weights_.check(x);
  const auto groups = options_.groups == -1 ? x.shape().back() : options_.groups;
  return group_normalize(x, groups, options_.epsilon, weights_.affine());
}

}  // namespace maskgrad
