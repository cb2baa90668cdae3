#include <maskgrad/layers/onnx/windows.hpp>

namespace maskgrad::onnx {

std::string window_counts(const Call& call, const std::string& lengths, const WindowOptions& o) {
  auto& g = call.graph;
  const auto by_stride = [&](const std::string& n) {
    return o.stride == 1 ? n : g.node("Div", {n, g.integer(o.stride)});
  };
  if (o.padding != Padding::valid) {
    return by_stride(o.stride == 1 ? lengths : g.node("Add", {lengths, g.integer(o.stride - 1)}));
  }
  // Of lengths below the span the difference is cut to one stride below 0, which gives 0 windows.
  const auto rest = g.node("Sub", {lengths, g.integer(span_of(o))});
  const auto cut = g.node("Max", {rest, g.integer(-o.stride)});
  return by_stride(g.node("Add", {cut, g.integer(o.stride)}));
}

Windows windows_of(const Call& call, const Value& x, const WindowOptions& o) {
  auto& g = call.graph;
  const bool masked = x.masked_steps();
  const auto time = call.to.size_of(x, 1);
  const auto length = masked ? g.unsqueeze(call.to.lengths(x), {1, 2}) : time;
  const auto scaled = [&](const std::string& v, std::int64_t by) {
    return by == 1 ? v : g.node("Mul", {v, g.integer(by)});
  };
  const auto first = scaled(g.range(window_counts(call, time, o)), o.stride);
  const auto behind = scaled(g.range(g.integer(o.width)), o.dilation);
  // [windows, width], of masked steps [batch, windows, width].
  auto at = g.node("Add", {g.unsqueeze(first, {1}), g.unsqueeze(behind, {0})});
  if (o.padding == Padding::causal) at = g.node("Sub", {at, g.integer(span_of(o) - 1)});
  if (o.padding == Padding::same) {
    const auto windows = g.node("Sub", {window_counts(call, length, o), g.integer(1)});
    const auto reach = g.node("Add", {scaled(windows, o.stride), g.integer(span_of(o))});
    const auto more = g.node("Max", {g.node("Sub", {reach, length}), g.integer(0)});
    at = g.node("Sub", {at, g.node("Div", {more, g.integer(2)})});
  }
  auto there =
      g.node("And", {g.node("GreaterOrEqual", {at, g.integer(0)}), g.node("Less", {at, length})});
  if (!masked) there = g.unsqueeze(there, {0});
  const auto last = g.node("Sub", {time, g.integer(1)});
  auto read = g.node("Min", {g.node("Max", {at, g.integer(0)}), last});
  if (!masked) {
    return {g.node("Gather", {x.name, read}, {attribute("axis", 1)}), g.unsqueeze(there, {3})};
  }
  const auto size = g.concat({call.to.sizes_of(x, 0), g.shape(first), g.integers({o.width})}, 0);
  read = g.unsqueeze(g.node("Expand", {read, size}), {3});
  return {g.node("GatherND", {x.name, read}, {attribute("batch_dims", 1)}),
          g.unsqueeze(there, {3})};
}

Values results_of_windows(const Call& call, const std::string& y, const Value& packed,
                          const WindowOptions& o) {
  const Value& x = call.x();
  if (!x.masked_steps()) return call.only(y, x.mask);
  if (length_stays(o)) {
    return call.only(call.to.unpacked({y, call.metas[0], packed.mask}, x).name, x.mask);
  }
  return call.only(y, call.to.mask_by_lengths(window_counts(call, call.to.lengths(packed), o), y));
}

}  // namespace maskgrad::onnx
