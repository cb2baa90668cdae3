#include <maskgrad/autograd/anomaly.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/tape.hpp>
#include <maskgrad/core/context.hpp>

namespace maskgrad {
namespace {

thread_local DetectAnomaly* current_anomaly = nullptr;

/// Where stored value `k` stands in the padded array.
std::string index_of(const Tensor& x, std::int64_t k) {
  if (x.has_mask()) {
    const auto inner = std::max<std::int64_t>(1, rows::inner(x));
    k = x.mask().impl().positions[k / inner] * inner + k % inner;
  }
  std::vector<std::int64_t> index;
  for (int axis = x.rank() - 1; axis >= 0; --axis) {
    index.insert(index.begin(), k % x.shape()[axis]);
    k /= x.shape()[axis];
  }
  return fmt::format("[{}]", fmt::join(index, ", "));
}

}  // namespace

namespace detail {

std::string first_not_finite(const Tensor& x) {
  if (!x.defined() || x.is_meta() || !is_real(x.dtype())) return {};
  return extend::dispatch_real("DetectAnomaly", x.dtype(), [&]<class T>() -> std::string {
    const auto values = rows::of<T>(x);
    const auto bad =
        std::find_if(values.begin(), values.end(), [](T v) { return !std::isfinite(v); });
    if (bad == values.end()) return {};
    const auto where = index_of(x, bad - values.begin());
    return std::isnan(*bad) ? "nan at " + where : fmt::format("{} at {}", *bad, where);
  });
}

}  // namespace detail

DetectAnomaly::DetectAnomaly() : before_(std::exchange(current_anomaly, this)) {}
DetectAnomaly::~DetectAnomaly() {
  current_anomaly = before_;
}
DetectAnomaly* DetectAnomaly::current() {
  return current_anomaly;
}

void DetectAnomaly::made(const tape::Node& node, const Tensor& output) {
  if (const auto* layer = extend::LayerScope::current()) {
    layers_[node.id] = {std::string(layer->kind()), std::string(layer->path())};
  }
  const auto bad = detail::first_not_finite(output);
  if (bad.empty()) return;
  fail<GradError>(node.op,
                  "forward gave {} with {}, the first value that is not finite; look at what went "
                  "in: a log or division of 0, a weight or an input that grew too large",
                  output.describe(), bad);
}

void DetectAnomaly::ran(const tape::Node& node) {
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const auto& edge = node.inputs[i];
    if (!edge.node) continue;
    const Tensor& grad = edge.node->slots[edge.slot].grad;
    const auto bad = detail::first_not_finite(grad);
    if (bad.empty()) continue;
    const auto layer = layers_.find(node.id);
    const auto names = layer == layers_.end() ? decltype(layers_)::mapped_type() : layer->second;
    std::optional<extend::LayerScope> scope;
    if (!names.first.empty()) scope.emplace(names.first, names.second);
    fail<GradError>(node.op,
                    "backward gave input {} the gradient {} with {}, the first that is not finite; "
                    "look at the derivative there: a root or division of 0, a factor that is too "
                    "large",
                    i, grad.describe(), bad);
  }
}

}  // namespace maskgrad
