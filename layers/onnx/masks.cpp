#include <algorithm>
#include <limits>

#include <maskgrad/layers/onnx/exporter.hpp>

namespace maskgrad::onnx {

std::string Exporter::size_of(const Value& x, int axis) {
  const auto size = x.size(axis);
  if (size != any) return graph.integer(size);
  return graph.node("Gather",
                    {graph.shape(x.name), graph.integer(axis < 0 ? axis + x.rank() : axis)});
}
std::string Exporter::sizes_of(const Value& x, int axis) {
  const auto size = x.size(axis);
  if (size != any) return graph.integers({size});
  return graph.node("Gather",
                    {graph.shape(x.name), graph.integers({axis < 0 ? axis + x.rank() : axis})});
}

std::string Exporter::valid(const Value& x) {
  auto& mask = *x.mask;
  if (mask.valid.empty()) {
    const auto time = graph.node("Gather", {graph.shape(mask.steps_of), graph.integer(1)});
    mask.valid = graph.node(
        "Less", {graph.unsqueeze(graph.range(time), {0}), graph.unsqueeze(mask.lengths, {1})});
  }
  return mask.valid;
}
std::string Exporter::valid(const Value& x, int rank) {
  Sizes axes;
  for (int i = x.mask->rank; i < rank; ++i) axes.push_back(i);
  return graph.unsqueeze(valid(x), axes);
}

std::string Exporter::lengths(const Value& x) {
  if (!x.masked_steps()) {
    return graph.node("Expand", {size_of(x, 1), sizes_of(x, 0)});
  }
  auto& mask = *x.mask;
  if (!mask.lengths.empty()) return mask.lengths;
  if (mask.sizes.empty()) {
    mask.sizes = graph.reduce("ReduceSum", graph.cast(valid(x), Type::i64), {1}, false);
  }
  return mask.sizes;
}
std::string Exporter::lengths_of_one(const Value& x) {
  return graph.cast(graph.node("Max", {lengths(x), graph.integer(1)}), Type::i32);
}

std::string Exporter::filled(const Value& x, double value) {
  if (!x.mask) return x.name;
  const auto fill = is_real(x.dtype()) ? graph.real(x.dtype(), value)
                                       : graph.integer(static_cast<std::int64_t>(value));
  return graph.where(valid(x, x.rank()), x.name, fill);
}
Value Exporter::cleaned(const Value& x) {
  if (!x.mask || x.clean) return x;
  Value y = x;
  y.name = filled(x, 0);
  y.clean = true;
  return y;
}

void Exporter::order(const Value& x) {
  auto& mask = *x.mask;
  const auto there = graph.cast(valid(x), Type::i64);
  const auto time = size_of(x, 1);
  // Steps from the greatest number down: valid ones before others, each in its order of time.
  const auto last = graph.node("Sub", {graph.node("Sub", {time, graph.integer(1)}), steps(x)});
  const auto keys = graph.node("Add", {graph.node("Mul", {there, time}), last});
  const auto sorted = graph.nodes("TopK", {keys, sizes_of(x, 1)}, {attribute("axis", 1)}, 2);
  mask.order = graph.unsqueeze(sorted[1], {2});
  const auto before =
      graph.node("Sub", {graph.node("CumSum", {there, graph.integer(1)}), graph.integer(1)});
  mask.ranks = graph.unsqueeze(graph.node("Max", {before, graph.integer(0)}), {2});
}

Value Exporter::packed(const Value& x) {
  if (!x.masked_steps() || !x.mask->lengths.empty()) return cleaned(x);
  if (x.mask->order.empty()) order(x);
  Value y = x;
  y.name = graph.node("GatherND", {x.name, x.mask->order}, {attribute("batch_dims", 1)});
  y.clean = false;
  if (!x.mask->packed) x.mask->packed = mask_by_lengths(lengths(x), y.name);
  y.mask = x.mask->packed;
  return cleaned(y);
}

Value Exporter::unpacked(const Value& y, const Value& x) {
  if (!x.masked_steps() || !x.mask->lengths.empty()) return y;
  Value back = y;
  back.name = graph.node("GatherND", {y.name, x.mask->ranks}, {attribute("batch_dims", 1)});
  back.mask = x.mask;
  back.clean = false;
  return back;
}

MaskRef Exporter::mask_by_lengths(const std::string& lengths, const std::string& steps_of) {
  auto mask = std::make_shared<MaskNames>();
  mask->rank = 2;
  mask->lengths = lengths;
  mask->steps_of = steps_of;
  return mask;
}

MaskRef Exporter::mask_by_values(int rank, const std::string& valid, const std::string& steps_of) {
  auto mask = std::make_shared<MaskNames>();
  mask->rank = rank;
  mask->valid = valid;
  mask->steps_of = steps_of;
  if (rank == 2 && options.padding_is_last) {
    mask->lengths = graph.reduce("ReduceSum", graph.cast(valid, Type::i64), {1}, false);
  }
  return mask;
}

MaskRef Exporter::both(const Value& a, const Value& b) {
  if (!a.mask || a.mask == b.mask) return b.mask;
  if (!b.mask) return a.mask;
  const int rank = std::max(a.mask->rank, b.mask->rank);
  const Value& longer = a.mask->rank == rank ? a : b;
  if (!a.mask->lengths.empty() && !b.mask->lengths.empty()) {
    return mask_by_lengths(graph.node("Min", {a.mask->lengths, b.mask->lengths}),
                           longer.mask->steps_of);
  }
  return mask_by_values(rank, graph.node("And", {valid(a, rank), valid(b, rank)}),
                        longer.mask->steps_of);
}

}  // namespace maskgrad::onnx
