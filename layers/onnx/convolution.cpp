#include <limits>

#include <maskgrad/layers/convolution/conv1d.hpp>
#include <maskgrad/layers/convolution/conv1d_transpose.hpp>
#include <maskgrad/layers/convolution/depthwise_conv1d.hpp>
#include <maskgrad/layers/convolution/resize.hpp>
#include <maskgrad/layers/convolution/separable_conv1d.hpp>
#include <maskgrad/layers/onnx/windows.hpp>

namespace maskgrad::onnx {
namespace {

/// The products of windows with a kernel [width, features / groups, filters].
struct Kernel {
  std::string name;
  Weight weight;
  std::int64_t groups = 1;
};

/// By the operator Conv, where the windows lie the same on every sequence.
std::string convolved(const Call& call, const Value& x, const WindowOptions& o, const Kernel& k) {
  auto& g = call.graph;
  const auto kernel = g.weight(k.name, transposed(k.weight, {2, 1, 0}));
  const auto span = span_of(o);
  // A window more than there are steps for: so short batches have a window too; it is cut again.
  Sizes pads{0, span - 1};
  if (o.padding == Padding::causal) pads = {span - 1, 0};
  if (o.padding == Padding::same) pads = {(span - 1) / 2, span - 1 - (span - 1) / 2};
  auto y = g.node("Conv", {g.transpose(x.name, {0, 2, 1}), kernel},
                  {attribute("kernel_shape", Sizes{o.width}), attribute("group", k.groups),
                   attribute("strides", Sizes{o.stride}), attribute("pads", pads),
                   attribute("dilations", Sizes{o.dilation})});
  y = g.transpose(y, {0, 2, 1});
  if (o.padding != Padding::valid || span == 1) return y;
  return g.slice(y, 1, g.integers({0}),
                 g.unsqueeze(window_counts(call, call.to.size_of(x, 1), o), {0}));
}

/// By the windows themselves.
std::string multiplied(const Call& call, const Value& x, const WindowOptions& o, const Kernel& k) {
  auto& g = call.graph;
  const Windows w = windows_of(call, x, o);
  const auto read = g.where(w.there, w.values, call.real(0));
  const auto width = k.weight.dims[0], in = k.weight.dims[1], out = k.weight.dims[2] / k.groups;
  const auto split = g.reshape(read, {0, 0, width, k.groups, in});
  const auto parts =
      g.reshape(g.transpose(split, {0, 1, 3, 2, 4}), Sizes{0, 0, k.groups, 1, width * in});
  const Weight each = transposed(reshaped(k.weight, {width, in, k.groups, out}), {2, 0, 1, 3});
  const auto kernel = g.weight(k.name + "_by_group", reshaped(each, {k.groups, width * in, out}));
  return g.reshape(g.node("MatMul", {parts, kernel}), Sizes{0, 0, k.groups * out});
}

std::string products(const Call& call, const Value& x, const WindowOptions& o, const Kernel& k) {
  return o.padding == Padding::same && o.stride > 1 ? multiplied(call, x, o, k)
                                                    : convolved(call, x, o, k);
}

std::string ended(const Call& call, std::string y, bool use_bias, const std::string& activation) {
  if (use_bias) y = call.graph.node("Add", {y, call.put("bias")});
  return activated(call, y, activation);
}

template <class O>
WindowOptions windows_by(const Call& call, const O& o) {
  return detail::window_options(call.layer.kind(), o.kernel_size, o.strides, o.padding,
                                o.dilation_rate);
}

Values convolution(const Call& call, const Conv1DOptions& o) {
  const WindowOptions windows = windows_by(call, o);
  const Value x = call.to.packed(call.x());
  const auto y = products(call, x, windows, {"kernel", call.weight("kernel"), o.groups});
  return results_of_windows(call, ended(call, y, o.use_bias, o.activation), x, windows);
}

/// A kernel [width, features, multiplier] as one of as many groups as features.
Kernel by_feature(const Call& call, const char* name) {
  const Weight w = call.weight(name);
  return {name, reshaped(w, {w.dims[0], 1, w.dims[1] * w.dims[2]}), w.dims[1]};
}

}  // namespace

Values write_conv(const Call& call) {
  return convolution(call, call.layer.as<Conv1D>()->options());
}
Values write_masked_conv(const Call& call) {
  return convolution(call, call.layer.as<MaskedConv1D>()->options());
}

Values write_depthwise_conv(const Call& call) {
  const auto& o = call.layer.as<DepthwiseConv1D>()->options();
  const auto y = products(call, call.x(), windows_by(call, o), by_feature(call, "kernel"));
  return call.only(ended(call, y, o.use_bias, o.activation), call.x().mask);
}

Values write_separable_conv(const Call& call) {
  const auto& o = call.layer.as<SeparableConv1D>()->options();
  const auto deep =
      products(call, call.x(), windows_by(call, o), by_feature(call, "depthwise_kernel"));
  const Weight w = call.weight("pointwise_kernel");
  const auto point = call.graph.weight("pointwise_kernel", reshaped(w, {w.dims[1], w.dims[2]}));
  const auto y = call.graph.node("MatMul", {deep, point});
  return call.only(ended(call, y, o.use_bias, o.activation), call.x().mask);
}

Values write_conv_transpose(const Call& call) {
  auto& g = call.graph;
  const auto& o = call.layer.as<Conv1DTranspose>()->options();
  const auto kernel = g.weight("kernel", transposed(call.weight("kernel"), {2, 1, 0}));
  auto y = g.node(
      "ConvTranspose", {g.transpose(call.x().name, {0, 2, 1}), kernel},
      {attribute("kernel_shape", Sizes{o.kernel_size}), attribute("strides", Sizes{o.strides}),
       attribute("dilations", Sizes{o.dilation_rate})});
  y = g.transpose(y, {0, 2, 1});
  const auto span = (o.kernel_size - 1) * o.dilation_rate + 1;
  const bool same = o.padding == "same";
  const auto wanted = o.output_padding ? *o.output_padding + (same ? span % 2 : span)
                                       : (same ? o.strides : std::max(span, o.strides));
  const auto more = wanted - span;  // steps at the end, or, below 0, fewer at both
  if (more > 0) {
    y = g.node("Pad", {y, g.integers({0, 0, 0, 0, more, 0}), call.real(0)});
  } else if (more < 0) {
    const auto front = -more / 2, end = -more - front;
    y = g.slice(y, 1, g.integers({front}),
                g.integers({end == 0 ? std::numeric_limits<int>::max() : -end}));
  }
  return call.only(ended(call, y, o.use_bias, o.activation), call.x().mask);
}

Values write_up_sampling(const Call& call) {
  auto& g = call.graph;
  const auto size = call.layer.as<UpSampling1D>()->options().size;
  const Value& x = call.x();
  const auto more = g.node("Tile", {g.unsqueeze(x.name, {2}), g.integers({1, 1, size, 1})});
  return call.only(g.reshape(more, Sizes{0, -1, x.size(2)}), x.mask);
}

Values write_zero_padding(const Call& call) {
  auto& g = call.graph;
  const auto& ends = call.layer.as<ZeroPadding1D>()->options().padding;
  const auto y =
      g.node("Pad", {call.x().name, g.integers({0, ends.start, 0, 0, ends.end, 0}), call.real(0)});
  return call.only(y, call.x().mask);
}

Values write_cropping(const Call& call) {
  auto& g = call.graph;
  const auto& ends = call.layer.as<Cropping1D>()->options().cropping;
  const auto y = g.slice(call.x().name, 1, g.integers({ends.start}),
                         g.integers({ends.end == 0 ? std::numeric_limits<int>::max() : -ends.end}));
  return call.only(y, call.x().mask);
}

}  // namespace maskgrad::onnx
