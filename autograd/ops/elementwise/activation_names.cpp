#include <algorithm>
#include <array>

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/reduce/softmax.hpp>
#include <maskgrad/core/nearest.hpp>

namespace maskgrad {
namespace {

// That of Keras 1 and 2, 0.2 x + 0.5 between 0 and 1, which their files call hard_sigmoid.
Tensor keras2_hard_sigmoid(const Tensor& x) {
  return hard_sigmoid(1.2 * x);
}

struct Row {
  std::string_view name;
  ActivationFunction f;
};

constexpr Row table[] = {
    {"celu", celu},
    {"elu", elu},
    {"exponential", exponential},
    {"gelu", gelu},
    {"hard_shrink", hard_shrink},
    {"hard_sigmoid", hard_sigmoid},
    {"hard_silu", hard_silu},
    {"hard_swish", hard_silu},
    {"hard_tanh", hard_tanh},
    {"keras2_hard_sigmoid", keras2_hard_sigmoid},
    {"leaky_relu", leaky_relu},
    {"linear", linear},
    {"log_sigmoid", log_sigmoid},
    {"log_softmax", log_softmax},
    {"mish", mish},
    {"relu", relu},
    {"relu6", relu6},
    {"selu", selu},
    {"sigmoid", sigmoid},
    {"silu", silu},
    {"soft_shrink", soft_shrink},
    {"softmax", softmax},
    {"softplus", softplus},
    {"softsign", softsign},
    {"sparse_plus", sparse_plus},
    {"squareplus", squareplus},
    {"swish", silu},
    {"tanh", tanh},
    {"tanh_shrink", tanh_shrink},
};

constexpr auto names = [] {
  std::array<std::string_view, std::size(table)> all;
  std::transform(std::begin(table), std::end(table), all.begin(),
                 [](const Row& r) { return r.name; });
  return all;
}();

}  // namespace

std::span<const std::string_view> activation_names() {
  return names;
}

ActivationFunction activation(std::string_view name) {
  const auto row = std::ranges::find(table, name, &Row::name);
  if (row != std::end(table)) return row->f;
  fail<OptionError>("activation", "no activation is named '{}'; {}", name,
                    nearest_hint(name, names));
}

}  // namespace maskgrad
