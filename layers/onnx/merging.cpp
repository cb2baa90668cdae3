#include <algorithm>

#include <maskgrad/layers/merging/concatenate.hpp>
#include <maskgrad/layers/merging/dot.hpp>
#include <maskgrad/layers/merging/merge.hpp>
#include <maskgrad/layers/onnx/families.hpp>

namespace maskgrad::onnx {
namespace {

/// The AND of the inputs' masks, with what is 1 of them as long as the result `y`.
MaskRef mask_of_all(const Call& call, const Values& inputs, const std::string& y) {
  auto& g = call.graph;
  if (!call.metas[0].has_mask()) return nullptr;
  const int rank = call.metas[0].mask().rank();
  const bool plain = std::all_of(inputs.begin(), inputs.end(), [&](const Value& x) {
    return !x.mask || (x.mask->rank == rank && x.rank() == inputs[0].rank() &&
                       (rank < 2 || x.size(1) == call.metas[0].shape()[1]));
  });
  if (plain) {
    Value all = inputs[0];
    for (const auto& x : inputs) all.mask = call.to.both(all, x);
    return all.mask;
  }
  std::string there;
  const int width = call.metas[0].rank();
  for (const auto& x : inputs) {
    if (!x.mask) continue;
    const auto own = call.to.valid(x, width);
    there = there.empty() ? own : g.node("And", {there, own});
  }
  Sizes rest;
  for (int i = rank; i < width; ++i) rest.push_back(i);
  const auto size = g.slice(g.shape(y), 0, g.integers({0}), g.integers({rank}));
  return call.to.mask_by_values(rank, g.node("Expand", {g.squeeze(there, rest), size}), y);
}

Value lengthened(const Call& call, Value x, int rank) {
  Sizes axes;
  for (int i = x.rank(); i < rank; ++i) axes.push_back(1 + i - x.rank());
  if (axes.empty()) return x;
  auto& g = call.graph;
  if (x.mask && x.mask->rank > 1) {
    x.mask = call.to.mask_by_values(x.mask->rank + static_cast<int>(axes.size()),
                                    g.unsqueeze(call.to.valid(x), axes), x.name);
  }
  x.name = g.unsqueeze(x.name, axes);
  Shape shape{x.size(0)};
  for (std::size_t i = 0; i < axes.size(); ++i) shape = shape + Shape{1};
  x.meta = rows::make_meta(shape + x.meta.shape().sub(1, x.rank()), x.dtype());
  return x;
}

Values merged(const Call& call, const char* op) {
  auto& g = call.graph;
  int rank = 0;
  for (const auto& x : call.inputs) rank = std::max(rank, x.rank());
  Values inputs;
  for (const auto& x : call.inputs) inputs.push_back(lengthened(call, x, rank));
  std::string y = inputs[0].name;
  for (std::size_t i = 1; i < inputs.size(); ++i) y = g.node(op, {y, inputs[i].name});
  return call.only(y, mask_of_all(call, inputs, y));
}

}  // namespace

Values write_add(const Call& call) {
  return merged(call, "Add");
}
Values write_subtract(const Call& call) {
  return merged(call, "Sub");
}
Values write_multiply(const Call& call) {
  return merged(call, "Mul");
}
Values write_maximum(const Call& call) {
  return merged(call, "Max");
}
Values write_minimum(const Call& call) {
  return merged(call, "Min");
}
Values write_average(const Call& call) {
  Values sum = merged(call, "Add");
  sum[0].name =
      call.graph.node("Div", {sum[0].name, call.real(static_cast<double>(call.inputs.size()))});
  return sum;
}

Values write_concatenate(const Call& call) {
  auto& g = call.graph;
  const auto& o = call.layer.as<Concatenate>()->options();
  const int axis = static_cast<int>(o.axis < 0 ? o.axis + call.x().rank() : o.axis);
  Names parts;
  for (const auto& x : call.inputs) parts.push_back(x.name);
  const auto y = g.concat(parts, axis);
  if (!call.metas[0].has_mask()) return call.only(y);
  const int rank = call.metas[0].mask().rank();
  if (axis >= rank) return call.only(y, mask_of_all(call, call.inputs, y));
  Names masks;
  for (const auto& x : call.inputs) {
    std::string own = x.mask ? call.to.valid(x, rank) : call.graph.boolean(true);
    if (!x.mask || x.mask->rank < rank) {
      const auto size = g.slice(g.shape(x.name), 0, g.integers({0}), g.integers({rank}));
      own = g.node("Expand", {own, size});
    }
    masks.push_back(own);
  }
  return call.only(y, call.to.mask_by_values(rank, g.concat(masks, axis), y));
}

Values write_dot(const Call& call) {
  auto& g = call.graph;
  const auto& o = call.layer.as<Dot>()->options();
  const auto& given = o.axes.values;
  std::string names, equation, left;
  Names inputs;
  for (std::size_t i = 0; i < 2; ++i) {
    const Value& x = call.inputs[i];
    const auto axis_given = i == 0 ? given.front() : given.back();
    const auto axis = axis_given < 0 ? axis_given + x.rank() : axis_given;
    auto read = call.to.cleaned(x).name;
    if (o.normalize) {
      const auto squares = g.reduce("ReduceSum", g.node("Mul", {read, read}), {axis}, true);
      const auto root = g.node("Sqrt", {g.node("Max", {squares, call.real(1e-14)})});
      read = g.node("Div", {read, root});
    }
    inputs.push_back(read);
    char next = i == 0 ? 'c' : 'm';
    for (int k = 0; k < x.rank(); ++k) {
      const char letter = k == 0 ? 'a' : k == axis ? 'b' : next++;
      equation += letter;
      if (letter != 'b' && (k > 0 || i == 0)) left += letter;
    }
    equation += i == 0 ? "," : "->";
  }
  auto y = g.node("Einsum", inputs, {attribute("equation", equation + left)});
  if (left.size() == 1) y = g.unsqueeze(y, {1});
  if (!call.metas[0].has_mask()) return call.only(y);
  const int rank = call.metas[0].mask().rank();
  Values masked;
  for (const auto& x : call.inputs) {
    if (x.mask) masked.push_back(x);
  }
  Value all = masked[0];
  for (const auto& x : masked) all.mask = call.to.both(all, x);
  if (all.mask->rank == rank) return call.only(y, all.mask);
  return call.refuse("its mask goes another way than those of its inputs",
                     "the masked input first");
}

}  // namespace maskgrad::onnx
