#include <maskgrad/layers/onnx/windows.hpp>
#include <maskgrad/layers/pooling/window_pooling.hpp>

namespace maskgrad::onnx {
namespace {

using detail::PoolingKind;

/// Which results have a value: those over steps of which one or more are valid.
MaskRef mask_of_some(const Call& call, int axis, bool keep, const std::string& y) {
  auto& g = call.graph;
  const Value& x = call.x();
  if (!x.mask || !call.metas[0].has_mask()) return nullptr;
  const int rank = call.metas[0].mask().rank();
  if (x.mask->rank <= axis) {
    return rank == x.mask->rank ? x.mask : call.to.mask_by_values(rank, call.to.valid(x, rank), y);
  }
  const auto some = g.reduce("ReduceMax", g.cast(call.to.valid(x), Type::i32), {axis}, keep);
  return call.to.mask_by_values(rank, g.cast(some, Type::boolean), y);
}

Values global(const Call& call, PoolingKind pool, const GlobalPoolingOptions& o) {
  auto& g = call.graph;
  const Value& x = call.x();
  const int axis = o.data_format == "channels_first" ? 2 : 1;
  std::string y;
  if (pool == PoolingKind::max) {
    y = g.reduce("ReduceMax", call.to.filled(x, g.least(call.dtype())), {axis}, o.keepdims);
  } else if (pool == PoolingKind::average && !x.mask) {
    y = g.reduce("ReduceMean", x.name, {axis}, o.keepdims);
  } else {
    y = g.reduce("ReduceSum", call.to.cleaned(x).name, {axis}, o.keepdims);
  }
  if (pool == PoolingKind::average && x.mask) {
    const auto there = g.cast(call.to.valid(x, x.rank()), type_of(x.dtype()));
    // Of a mask that does not reach the axis every position is one more.
    const auto size =
        g.concat({call.to.sizes_of(x, 0), call.to.sizes_of(x, 1),
                  x.mask->rank > 2 || axis == 2 ? call.to.sizes_of(x, 2) : g.integers({1})},
                 0);
    const auto whole = g.node("Expand", {there, size});
    const auto count = g.reduce("ReduceSum", whole, {axis}, o.keepdims);
    y = g.node("Div", {y, g.node("Max", {count, call.real(1)})});
  }
  return call.only(y, mask_of_some(call, axis, o.keepdims, y));
}

template <PoolingKind pool>
Values global_of(const Call& call) {
  return global(call, pool, call.layer.as<detail::GlobalPooling1D<pool>>()->options());
}

Values edge(const Call& call, bool first) {
  auto& g = call.graph;
  const Value& x = call.x();
  if (x.mask && x.mask->rank > 2) {
    return call.refuse("its mask has more than two axes", "a mask over whole steps");
  }
  const Value steps = call.to.packed(x);
  std::string y;
  if (first || !steps.masked_steps()) {
    y = g.node("Gather", {steps.name, g.integer(first ? 0 : -1)}, {attribute("axis", 1)});
  } else {
    const auto at =
        g.node("Max", {g.node("Sub", {call.to.lengths(steps), g.integer(1)}), g.integer(0)});
    y = g.node("GatherND", {steps.name, g.unsqueeze(at, {1})}, {attribute("batch_dims", 1)});
  }
  return call.only(y, mask_of_some(call, 1, false, y));
}

template <PoolingKind pool, bool masked>
Values pooled(const Call& call) {
  auto& g = call.graph;
  const auto& options = call.layer.as<detail::WindowPooling1D<pool, masked>>()->options();
  const WindowOptions o = detail::pooling_windows(call.layer.kind(), options);
  const Value x = call.to.packed(call.x());
  const Windows w = windows_of(call, x, o);
  if (pool == PoolingKind::max) {
    const auto read = g.where(w.there, w.values, call.real(g.least(call.dtype())));
    return results_of_windows(call, g.reduce("ReduceMax", read, {2}, false), x, o);
  }
  const auto read = g.where(w.there, w.values, call.real(0));
  const auto count = g.reduce("ReduceSum", g.cast(w.there, type_of(call.dtype())), {2}, false);
  const auto least = g.node("Max", {count, call.real(1)});
  const auto sum = g.reduce("ReduceSum", read, {2}, false);
  return results_of_windows(call, g.node("Div", {sum, least}), x, o);
}

}  // namespace

Values write_global_average(const Call& call) {
  return global_of<PoolingKind::average>(call);
}
Values write_global_max(const Call& call) {
  return global_of<PoolingKind::max>(call);
}
Values write_global_sum(const Call& call) {
  return global_of<PoolingKind::sum>(call);
}
Values write_first_step(const Call& call) {
  return edge(call, true);
}
Values write_last_step(const Call& call) {
  return edge(call, false);
}
Values write_max_pooling(const Call& call) {
  return pooled<PoolingKind::max, false>(call);
}
Values write_average_pooling(const Call& call) {
  return pooled<PoolingKind::average, false>(call);
}
Values write_masked_max_pooling(const Call& call) {
  return pooled<PoolingKind::max, true>(call);
}
Values write_masked_average_pooling(const Call& call) {
  return pooled<PoolingKind::average, true>(call);
}

}  // namespace maskgrad::onnx
