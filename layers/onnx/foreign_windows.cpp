#include <algorithm>

#include <maskgrad/layers/convolution/conv1d.hpp>
#include <maskgrad/layers/convolution/resize.hpp>
#include <maskgrad/layers/onnx/foreign.hpp>
#include <maskgrad/layers/onnx/weight.hpp>
#include <maskgrad/layers/pooling/window_pooling.hpp>

namespace maskgrad::onnx {
namespace {

/// How windows lie, and the zeros that a layer before them must put around the steps.
struct Lying {
  std::string padding = "valid";
  std::int64_t before = 0, behind = 0;
};

std::int64_t first_of(Foreign& to, const Node& node, const char* name, std::int64_t otherwise) {
  const auto all = to.integers(node, name);
  return all && all->size() == 1 ? (*all)[0] : all && !all->empty() ? -1 : otherwise;
}

std::optional<Lying> lying_of(Foreign& to, const Node& node, std::int64_t span,
                              std::int64_t stride) {
  const auto how = to.text(node, "auto_pad", "NOTSET");
  if (how == "SAME_UPPER") return Lying{"same", 0, 0};
  if (how == "SAME_LOWER") return {};
  const auto pads = how == "VALID" ? std::nullopt : to.integers(node, "pads");
  if (!pads || pads->empty()) return Lying{};
  if (pads->size() != 2 || std::min((*pads)[0], (*pads)[1]) < 0) return {};
  const auto before = (*pads)[0], behind = (*pads)[1];
  if (before == 0 && behind == 0) return Lying{};
  if (before == span - 1 && behind == 0) return Lying{"causal", 0, 0};
  if (stride == 1 && before == (span - 1) / 2 && before + behind == span - 1) {
    return Lying{"same", 0, 0};
  }
  return Lying{"valid", before, behind};
}

bool steps_last(const Traced& x) {
  return x.axes == Roles{Role::batch, Role::features, Role::time};
}

}  // namespace

void read_conv(Foreign& to, const Node& node) {
  const Traced* x = to.traced(node, 0);
  const auto* data = to.constant(node, 1);
  const auto* bias = to.constant(node, 2);
  if (!x) return;
  if (!data || data->dims.size() != 3 || count_of(data->dims) < 1 || !steps_last(*x) ||
      (to.given(node, 2) && !bias)) {
    return to.trouble(node, "only steps are convolved, with weights of the file");
  }
  const auto width = data->dims[2], dilation = first_of(to, node, "dilations", 1);
  const auto stride = first_of(to, node, "strides", 1), groups = to.integer(node, "group", 1);
  if (stride < 1 || dilation < 1 || groups < 1 || std::max(stride, dilation) > (1 << 20) ||
      data->dims[0] % groups != 0) {
    return to.trouble(node, "its strides, dilations or group are out of range");
  }
  const auto lying = lying_of(to, node, (width - 1) * dilation + 1, stride);
  if (!lying) return to.trouble(node, "its padding is none of valid, same and causal");
  auto from = x->node;
  if (lying->before + lying->behind > 0) {
    if (std::max(lying->before, lying->behind) > (1 << 20)) {
      return to.trouble(node, "its pads are out of range");
    }
    from = to.call(AnyLayer(ZeroPadding1D{{.padding = {lying->before, lying->behind}}}), {from});
  }
  const Weight kernel{DType::f64, data->dims, to.reals(*data)};
  if (kernel.values.empty()) return;
  Foreign::Weights weights{{"kernel", transposed(kernel, {2, 1, 0}).values}};
  if (bias) weights["bias"] = to.reals(*bias);
  const MaskedConv1D layer{{.filters = data->dims[0],
                            .kernel_size = width,
                            .strides = stride,
                            .padding = lying->padding,
                            .dilation_rate = dilation,
                            .groups = groups,
                            .use_bias = bias != nullptr}};
  to.like(node, *x, to.call(AnyLayer(layer), {from}, "", weights));
}

void read_pool(Foreign& to, const Node& node) {
  const Traced* x = to.traced(node, 0);
  if (!x) return;
  const auto width = first_of(to, node, "kernel_shape", 0);
  const auto stride = first_of(to, node, "strides", 1);
  const auto lying = lying_of(to, node, width, stride);
  const bool plain = to.integer(node, "ceil_mode", 0) == 0 &&
                     first_of(to, node, "dilations", 1) == 1 &&
                     to.integer(node, "count_include_pad", 0) == 0;
  if (!steps_last(*x) || width < 1 || stride < 1 || std::max(width, stride) > (1 << 20) || !plain ||
      !lying || lying->padding == "causal" || lying->before + lying->behind > 0) {
    return to.trouble(node, "only steps are pooled, with the padding valid or same");
  }
  const WindowPoolingOptions o{.pool_size = width, .strides = stride, .padding = lying->padding};
  const auto layer =
      node.op == "MaxPool" ? AnyLayer(MaskedMaxPooling1D{o}) : AnyLayer(MaskedAveragePooling1D{o});
  to.like(node, *x, to.call(layer, {x->node}));
}

namespace {

AnyLayer global_of(const std::string& op) {
  if (op.ends_with("MaxPool") || op == "ReduceMax") return AnyLayer(GlobalMaxPooling1D{});
  return op == "ReduceSum" ? AnyLayer(GlobalSumPooling1D{}) : AnyLayer(GlobalAveragePooling1D{});
}

}  // namespace

void read_global_pool(Foreign& to, const Node& node) {
  const Traced* x = to.traced(node, 0);
  if (!x) return;
  if (!steps_last(*x)) return to.trouble(node, "only steps are pooled");
  Traced y = *x;
  y.node = to.call(global_of(node.op), {x->node});
  y.axes[2] = Role::one;
  to.put(node.outputs.empty() ? "" : node.outputs[0], std::move(y));
}

void read_reduce(Foreign& to, const Node& node) {
  const Traced* x = to.traced(node, 0);
  if (!x) return;
  const auto axes = to.integers(node, "axes", 1);
  const auto at = static_cast<std::int64_t>(x->axis(Role::time));
  const auto rank = static_cast<std::int64_t>(x->axes.size());
  if (!axes || axes->size() != 1 || at < 0 || ((*axes)[0] != at && (*axes)[0] + rank != at) ||
      x->has(Role::directions)) {
    return to.trouble(node, "only over the steps");
  }
  Traced y = *x;
  y.node = to.call(global_of(node.op), {x->node});
  y.axes[static_cast<std::size_t>(at)] = Role::one;
  if (to.integer(node, "keepdims", 1) == 0) y.axes.erase(y.axes.begin() + at);
  to.put(node.outputs.empty() ? "" : node.outputs[0], std::move(y));
}

}  // namespace maskgrad::onnx
