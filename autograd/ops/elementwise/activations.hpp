#pragma once

#include <limits>
#include <span>
#include <string_view>

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// Activation functions with Keras's names and defaults; tanh and softmax stand with the other
/// operations.
/// Shapes:   the result has the shape of x.
/// Mask:     propagates. Gradient: dy times the derivative; at a kink that of the side below.
/// Throws:   TypeError for other types than f32 and f64; OptionError for an option out of range.
/// Example:  mg::leaky_relu(x, 0.1) + mg::softplus(x);  // [4, 5, 3] under x's mask
Tensor relu(const Tensor& x);   ///< max(x, 0)
Tensor relu6(const Tensor& x);  ///< min(max(x, 0), 6)
Tensor leaky_relu(const Tensor& x, double negative_slope);
Tensor leaky_relu(const Tensor& x);  ///< negative_slope = 0.2
/// x above 0, alpha x elsewhere; x and alpha are broadcast.
/// Example:  mg::prelu(x, mg::full({3}, 0.1));  // a slope for each feature
Tensor prelu(const Tensor& x, const Tensor& alpha);
Tensor elu(const Tensor& x, double alpha);  ///< x above 0, alpha (exp(x) - 1) below
Tensor elu(const Tensor& x);                ///< alpha = 1
Tensor selu(const Tensor& x);
Tensor celu(const Tensor& x, double alpha);  ///< x above 0, alpha (exp(x / alpha) - 1) below
Tensor celu(const Tensor& x);                ///< alpha = 1
/// x P(X <= x) of a standard normal X; `approximate`: its form with tanh.
/// Source: Hendrycks and Gimpel 2016, arXiv:1606.08415.
/// Example:  mg::gelu(x, true);
Tensor gelu(const Tensor& x, bool approximate);
Tensor gelu(const Tensor& x);  ///< not approximate
Tensor silu(const Tensor& x);  ///< x sigmoid(x)
/// x tanh(softplus(x)). Source: Misra 2019, arXiv:1908.08681.
/// Example:  mg::mish(x);
Tensor mish(const Tensor& x);
Tensor sigmoid(const Tensor& x);
Tensor log_sigmoid(const Tensor& x);
Tensor hard_sigmoid(const Tensor& x);  ///< relu6(x + 3) / 6
Tensor hard_silu(const Tensor& x);     ///< x hard_sigmoid(x)
Tensor hard_tanh(const Tensor& x);     ///< x cut at -1 and 1
Tensor softplus(const Tensor& x);      ///< log(1 + exp(x))
Tensor softsign(const Tensor& x);      ///< x / (1 + |x|)
/// 0 where |x| <= threshold, else x (hard), or x moved towards 0 by the threshold (soft).
/// Example:  mg::soft_shrink(x, 0.1);
Tensor hard_shrink(const Tensor& x, double threshold);
Tensor hard_shrink(const Tensor& x);  ///< threshold = 0.5
Tensor soft_shrink(const Tensor& x, double threshold);
Tensor soft_shrink(const Tensor& x);           ///< threshold = 0.5
Tensor tanh_shrink(const Tensor& x);           ///< x - tanh(x)
Tensor squareplus(const Tensor& x, double b);  ///< (x + sqrt(x^2 + b)) / 2
Tensor squareplus(const Tensor& x);            ///< b = 4
Tensor sparse_plus(const Tensor& x);           ///< 0 below -1, x above 1, (x + 1)^2 / 4 between
Tensor exponential(const Tensor& x);           ///< exp(x)
Tensor linear(const Tensor& x);                ///< x itself

/// Keras's options of relu: max_value from there on, negative_slope (x - threshold) below
/// threshold.
/// Example:  mg::relu(x, {.negative_slope = 0.1, .max_value = 6});
struct ReluShape {
  double negative_slope = 0;
  double max_value = std::numeric_limits<double>::infinity();
  double threshold = 0;
};
Tensor relu(const Tensor& x, const ReluShape& options);

/// An activation with its defaults, as `activation` finds it by name.
using ActivationFunction = Tensor (*)(const Tensor&);
/// The function of that name, as `gelu`, with its defaults; softmax and log_softmax run over the
/// last axis. `swish` is silu, `hard_swish` is hard_silu. Throws OptionError, naming all, where
/// there is none.
/// Example:  mg::activation("gelu")(x);
ActivationFunction activation(std::string_view name);
/// All names, in alphabetical order.
std::span<const std::string_view> activation_names();

}  // namespace maskgrad
