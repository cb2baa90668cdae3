#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/ops.hpp>
#include <maskgrad/layers/basic/lambda.hpp>
#include <maskgrad/layers/keras/make.hpp>

// Keras's layers of preprocessing that are arithmetic with set numbers.

namespace maskgrad::detail {
namespace {

constexpr MaskContract scales_values{.role = MaskRole::propagates,
                                     .why = "each value is moved and scaled by itself"};

AnyLayer scaling(const KerasLayer& layer, Callable function) {
  return AnyLayer(
      Lambda(std::move(function), scales_values, {.name = keras_path_name(layer.name)}));
}

// One number, or one for each feature, of x's type.
Tensor numbers_like(const std::vector<double>& numbers, const Tensor& x) {
  const auto size = static_cast<std::int64_t>(numbers.size());
  const Tensor all = tensor(numbers, size == 1 ? Shape{} : Shape{size});
  return x.dtype() == DType::f64 ? all : cast(all, DType::f32);
}

std::vector<double> numbers_in(const Json* json) {
  std::vector<double> numbers;
  if (!json) return numbers;
  if (json->is_number()) numbers.push_back(json->get<double>());
  if (json->is_array() && json->size() == 1 && (*json)[0].is_array())
    return numbers_in(&(*json)[0]);
  if (json->is_array()) {
    for (const auto& one : *json) {
      if (one.is_number()) numbers.push_back(one.get<double>());
    }
  }
  return numbers;
}

std::vector<double> numbers_in(const Array& array) {
  std::vector<double> numbers;
  extend::dispatch(array.dtype, [&]<class T>() {
    const auto values = array.values<T>();
    numbers.assign(values.begin(), values.end());
  });
  return numbers;
}

std::optional<AnyLayer> normalization(const KerasLayer& layer, KerasMaking& making) {
  auto mean = numbers_in(config_at(layer.config, "mean"));
  auto variance = numbers_in(config_at(layer.config, "variance"));
  const auto* found = making.weights.find(layer);
  if (mean.empty() && found && found->size() >= 2) {
    mean = numbers_in(making.weights.read(*(*found)[0]));
    variance = numbers_in(making.weights.read(*(*found)[1]));
  }
  if (mean.empty() || mean.size() != variance.size()) return {};
  std::vector<double> scale;
  for (const double v : variance) scale.push_back(1 / std::max(std::sqrt(v), 1e-7));
  const bool invert = config_flag(layer.config, "invert");
  return scaling(layer, [mean, scale, invert](const Tensor& x) {
    const Tensor m = numbers_like(mean, x), s = numbers_like(scale, x);
    return invert ? x / s + m : (x - m) * s;
  });
}

}  // namespace

std::optional<AnyLayer> make_keras_scaling(const KerasLayer& layer, KerasMaking& making) {
  if (layer.class_name == "Normalization") return normalization(layer, making);
  if (layer.class_name == "Rescaling") {
    const auto scale = numbers_in(config_at(layer.config, "scale"));
    auto offset = numbers_in(config_at(layer.config, "offset"));
    if (scale.empty()) return {};
    if (offset.empty()) offset = {0.0};
    return scaling(layer, [scale, offset](const Tensor& x) {
      return x * numbers_like(scale, x) + numbers_like(offset, x);
    });
  }
  if (layer.class_name == "ThresholdedReLU") {
    const auto theta = numbers_in(config_at(layer.config, "theta"));
    return scaling(layer, [theta = theta.empty() ? 1.0 : theta[0]](const Tensor& x) {
      return where(greater(x, theta), x, zeros_like(x));
    });
  }
  return {};
}

}  // namespace maskgrad::detail
