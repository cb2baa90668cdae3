#include <maskgrad/layers/recurrent/linear_attention.hpp>

#include <array>
#include <cmath>

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/shape/rearrange.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/core/nearest.hpp>
#include <maskgrad/layers/layer/check.hpp>
#include <maskgrad/layers/recurrent/decayed_attention.hpp>

namespace maskgrad::detail {

LinearAttentionCore::LinearAttentionCore(LinearAttentionOptions options)
    : options_(std::move(options)) {
  constexpr std::string_view kind = "LinearAttention";
  check::at_least(kind, "num_heads", options_.num_heads, 1);
  check::at_least(kind, "key_dim", options_.key_dim, 1);
  check::at_least(kind, "value_dim", value_dim(), 1);
  check::at_least(kind, "output_shape", options_.output_shape.value_or(1), 1);
  constexpr std::array<std::string_view, 3> decays = {"fixed", "learned", "none"};
  if (std::find(decays.begin(), decays.end(), options_.decay) == decays.end()) {
    fail<OptionError>(kind, "the option .decay is '{}'; {}", options_.decay,
                      nearest_hint(options_.decay, decays));
  }
}

void LinearAttentionCore::build(const Tensor& x, Builder& builder) {
  check::has_features(x);
  const auto& o = options_;
  const auto features = x.shape().back(), out = o.output_shape.value_or(features);
  const auto make = [&](std::string name, const Shape& kernel, const Shape& bias) {
    Projection p{builder.weight(name + "/kernel", kernel, o.kernel_initializer), {}};
    if (o.use_bias) p.bias = builder.weight(name + "/bias", bias, o.bias_initializer);
    return p;
  };
  const auto to_heads = [&](std::string name, std::int64_t dim) {
    return make(std::move(name), {features, o.num_heads, dim}, {o.num_heads, dim});
  };
  query_ = to_heads("query", o.key_dim);
  key_ = to_heads("key", o.key_dim);
  value_ = to_heads("value", value_dim());
  if (learned()) decay_ = to_heads("decay", 1);
  output_ = make("output", {o.num_heads, value_dim(), out}, {out});
}

Tensor LinearAttentionCore::enter(const Tensor& x) const {
  check::features(x, query_.kernel.shape()[0]);
  return x;
}

Tensor LinearAttentionCore::to_heads(const Tensor& x, const Projection& p) const {
  const Shape& kernel = p.kernel.shape();
  const auto width = kernel[1] * kernel[2];
  const Tensor bias = options_.use_bias ? reshape(p.bias, {width}) : Tensor();
  const Tensor flat = matmul(x, reshape(p.kernel, {kernel[0], width}), bias);
  return reshape(flat, x.shape().sub(0, 2) + Shape{kernel[1], kernel[2]});
}

Tensor LinearAttentionCore::log_decay(const Tensor& x) const {
  const auto heads = options_.num_heads;
  const Shape shape = x.shape().sub(0, 2) + Shape{heads};
  if (learned()) return reshape(log_sigmoid(to_heads(x, decay_)) * (1.0 / 16), shape);
  if (x.is_meta()) return rows::make_meta(shape, x.dtype(), x.mask());
  const Tensor fixed = rows::make_zeros(shape, x.dtype(), x.mask());
  if (options_.decay == "none") return fixed;
  std::vector<double> rates;
  for (std::int64_t h = 0; h < heads; ++h) {
    rates.push_back(std::log1p(-std::exp2(-5 - static_cast<double>(h))));
  }
  return fixed + cast(tensor(rates, {heads}), x.dtype());
}

Tensors LinearAttentionCore::run_whole(const Tensor& x, const Tensors& states,
                                       bool backwards) const {
  const auto heads = options_.num_heads, key = options_.key_dim, value = value_dim();
  const Tensor& given = states[0];
  const Tensor initial =
      given.defined()
          ? rearrange::regroup("LinearAttention", given, Shape{given.shape()[0], heads, key, value},
                               rows::mask_rank(given))
          : given;
  const Tensor q = to_heads(x, query_) * (1 / std::sqrt(static_cast<double>(key)));
  const auto [y, state] = decayed_attention(q, to_heads(x, key_), to_heads(x, value_), log_decay(x),
                                            initial, backwards);
  const Shape& kernel = output_.kernel.shape();
  const Tensor flat = reshape(y, x.shape().sub(0, 2) + Shape{heads * value});
  const Tensor out = matmul(flat, reshape(output_.kernel, {heads * value, kernel[2]}),
                            options_.use_bias ? output_.bias.tensor() : Tensor());
  return {out,
          rearrange::regroup("LinearAttention", state, Shape{state.shape()[0], heads * key * value},
                             rows::mask_rank(state))};
}

}  // namespace maskgrad::detail
