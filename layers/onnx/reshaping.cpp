#include <maskgrad/layers/onnx/families.hpp>
#include <maskgrad/layers/reshaping/flatten.hpp>
#include <maskgrad/layers/reshaping/permute.hpp>
#include <maskgrad/layers/reshaping/repeat_vector.hpp>
#include <maskgrad/layers/reshaping/reshape.hpp>

namespace maskgrad::onnx {

Values write_repeat_vector(const Call& call) {
  auto& g = call.graph;
  const auto n = call.layer.as<RepeatVector>()->options().n;
  const Value& x = call.x();
  const auto size = g.concat({call.to.sizes_of(x, 0), g.integers({n}), call.to.sizes_of(x, 1)}, 0);
  const auto y = g.node("Expand", {g.unsqueeze(x.name, {1}), size});
  if (!x.mask || !call.metas[0].has_mask()) return call.only(y);
  if (call.metas[0].mask().rank() == x.mask->rank && x.mask->rank == 1) return call.only(y, x.mask);
  const int rank = call.metas[0].mask().rank();
  const auto there = g.unsqueeze(call.to.valid(x), {1});
  const auto sizes = g.slice(size, 0, g.integers({0}), g.integers({rank}));
  return call.only(y, call.to.mask_by_values(rank, g.node("Expand", {there, sizes}), y));
}

Values write_permute(const Call& call) {
  auto& g = call.graph;
  const auto& o = call.layer.as<Permute>()->options();
  const Value& x = call.x();
  Sizes order{0};
  order.insert(order.end(), o.dims.begin(), o.dims.end());
  const auto y = g.transpose(x.name, order);
  if (!x.mask) return call.only(y);
  const auto rank = static_cast<std::size_t>(x.mask->rank);
  order.resize(rank);
  bool same = true;
  for (std::size_t i = 0; i < rank; ++i) same = same && order[i] == static_cast<std::int64_t>(i);
  if (same) return call.only(y, x.mask);
  const auto there = g.transpose(call.to.valid(x), order);
  return call.only(y, call.to.mask_by_values(x.mask->rank, there, y));
}

Values write_reshape(const Call& call) {
  auto& g = call.graph;
  const auto& o = call.layer.as<Reshape>()->options();
  const Value& x = call.x();
  Sizes shape{0};
  shape.insert(shape.end(), o.target_shape.begin(), o.target_shape.end());
  const auto y = g.reshape(x.name, shape);
  if (!x.mask || !call.metas[0].has_mask()) return call.only(y);
  const int rank = call.metas[0].mask().rank();
  if (rank == x.mask->rank && rank <= 2) return call.only(y, x.mask);
  const auto size = g.slice(g.shape(y), 0, g.integers({0}), g.integers({rank}));
  return call.only(y, call.to.mask_by_values(rank, g.reshape_as(call.to.valid(x), size), y));
}

Values write_flatten(const Call& call) {
  auto& g = call.graph;
  const auto& o = call.layer.as<Flatten>()->options();
  const Value& x = call.x();
  Sizes order;
  for (int i = 0; i < x.rank(); ++i) order.push_back(i);
  if (o.data_format == "channels_first" && x.rank() > 2) {
    order.erase(order.begin() + 1);
    order.push_back(1);
  }
  const auto flat = [&](const std::string& v) {
    return x.rank() == 1 ? g.unsqueeze(v, {1}) : g.reshape(g.transpose(v, order), {0, -1});
  };
  const auto y = flat(x.name);
  if (!x.mask || x.mask->rank == 1) return call.only(y, x.mask);
  return call.only(y, call.to.mask_by_values(2, flat(call.to.valid(x)), y));
}

Values write_reverse(const Call& call) {
  const Value& x = call.x();
  if (x.mask && x.mask->rank > 2) {
    return call.refuse("each feature has steps of its own under its mask",
                       "a mask over whole steps");
  }
  Value y = call.to.packed(x);
  y.name = reversed(call, y);
  return call.only(call.to.unpacked(y, x).name, x.mask);
}

}  // namespace maskgrad::onnx
