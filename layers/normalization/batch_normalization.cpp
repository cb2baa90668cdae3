#include <maskgrad/layers/normalization/batch_normalization.hpp>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/checkpoint.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/layers/normalization/batch_statistics.hpp>

namespace maskgrad {

BatchNormalization::BatchNormalization(BatchNormalizationOptions options)
    : info(kind, options.name),
      options_(std::move(options)),
      weights_(options_.scale, options_.center) {
  check::epsilon(kind, options_.epsilon);
  if (!(options_.momentum >= 0 && options_.momentum <= 1)) {
    fail<OptionError>(kind, "the option .momentum is {}; expected 0 to 1", options_.momentum);
  }
}

void BatchNormalization::build(const Tensor& x, Builder& builder) {
  weights_.build(x, builder, options_.gamma_initializer, options_.beta_initializer);
  const Shape features{x.shape().back()};
  moving_mean_ = builder.weight("moving_mean", features, options_.moving_mean_initializer, false);
  moving_variance_ =
      builder.weight("moving_variance", features, options_.moving_variance_initializer, false);
}

namespace {

/// One NaN in a batch would stay in the moving statistics for good.
void check_finite(std::string_view what, const Tensor& statistics, std::int64_t count) {
  extend::dispatch_real(BatchNormalization::kind, statistics.dtype(), [&]<class T>() {
    const auto all = rows::of<T>(statistics);
    const auto bad = std::find_if(all.begin(), all.end(), [](T v) { return !std::isfinite(v); });
    if (bad == all.end()) return;
    fail<OptionError>(BatchNormalization::kind,
                      "the {} of feature {} over {} valid rows is {}; expected finite statistics. "
                      "Look for what made the input so, or scale it; the moving statistics are as "
                      "they were",
                      what, bad - all.begin(), count, *bad);
  });
}

}  // namespace

void BatchNormalization::move(const BatchResult& batch, std::int64_t own) const {
  if (auto* kept = detail::BatchStatistics::current()) {
    const auto values = [](const Tensor& x) {
      return cast(x, DType::f64).template to_vector<double>();
    };
    kept->measured.push_back({moving_mean_, moving_variance_, options_.momentum,
                              static_cast<double>(own), values(batch.mean),
                              values(batch.variance)});
    return;
  }
  if (batch.count == 0) return;
  detail::move_statistics(moving_mean_, batch.mean, options_.momentum);
  detail::move_statistics(moving_variance_, batch.variance, options_.momentum);
}

Tensor BatchNormalization::forward(const Tensor& x) {
  check::feature_axis(x, options_.axis);
  weights_.check(x);
  if (training()) {
    const bool together = options_.synchronized && !x.is_meta();
    const auto sum_over = together ? detail::sum_over_shards() : detail::SumOver();
    const auto batch = detail::batch_normalize(x, options_.epsilon, weights_.affine(), sum_over);
    const auto call = detail::checkpoint_call();
    if (call == detail::CheckpointCall::alone) {
      fail<StateError>(detail::layer_title(),
                       "its statistics are of all sequences of a batch, so none has a gradient of "
                       "its own; use LayerNormalization or GroupNormalization in its place");
    }
    const bool again = call == detail::CheckpointCall::again;
    if (batch.count > 0 && !again) {
      check_finite("mean", batch.mean, batch.count);
      check_finite("variance", batch.variance, batch.count);
    }
    const auto features = x.shape().back();
    if (!again) move(batch, sum_over && features > 0 ? rows::total(x) / features : batch.count);
    return batch.y;
  }
  // Copies, so that a later step in training leaves what backward reads as it is.
  const Tensor mean = moving_mean_.value(), variance = moving_variance_.value();
  const auto [gamma, beta] = weights_.affine();
  const Tensor scale = rsqrt(variance + options_.epsilon);
  const Tensor y = (x - mean) * (gamma.defined() ? scale * gamma : scale);
  return beta.defined() ? y + beta : y;
}

}  // namespace maskgrad
