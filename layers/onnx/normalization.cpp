#include <maskgrad/layers/normalization/batch_normalization.hpp>
#include <maskgrad/layers/normalization/group_normalization.hpp>
#include <maskgrad/layers/normalization/layer_normalization.hpp>
#include <maskgrad/layers/normalization/rms_normalization.hpp>
#include <maskgrad/layers/onnx/families.hpp>

namespace maskgrad::onnx {
namespace {

/// The weight, or one for each feature of what stands in its place.
std::string or_constant(const Call& call, const char* name, double value) {
  if (call.has_weight(name)) return call.put(name);
  return call.graph.weight(name, constant_weight(call.dtype(), {call.x().size(-1)}, value));
}

std::string scaled_and_shifted(const Call& call, std::string y) {
  if (call.has_weight("gamma")) y = call.graph.node("Mul", {y, call.put("gamma")});
  if (call.has_weight("beta")) y = call.graph.node("Add", {y, call.put("beta")});
  return y;
}

}  // namespace

Values write_layer_normalization(const Call& call) {
  const auto& o = call.layer.as<LayerNormalization>()->options();
  Names inputs{call.x().name, or_constant(call, "gamma", 1)};
  if (call.has_weight("beta")) inputs.push_back(call.put("beta"));
  const auto y = call.graph.node("LayerNormalization", inputs,
                                 {attribute("axis", -1), attribute("epsilon", o.epsilon)});
  return call.only(y, call.x().mask);
}

Values write_rms_normalization(const Call& call) {
  auto& g = call.graph;
  const auto& o = call.layer.as<RMSNormalization>()->options();
  const auto& x = call.x().name;
  const auto squares = g.reduce("ReduceMean", g.node("Mul", {x, x}), {-1}, true);
  const auto root = g.node("Sqrt", {g.node("Add", {squares, call.real(o.epsilon)})});
  return call.only(g.node("Mul", {g.node("Div", {x, root}), call.put("scale")}), call.x().mask);
}

Values write_unit_normalization(const Call& call) {
  auto& g = call.graph;
  const auto& x = call.x().name;
  const auto squares = g.reduce("ReduceSum", g.node("Mul", {x, x}), {-1}, true);
  const auto root = g.node("Sqrt", {g.node("Max", {squares, call.real(1e-12)})});
  return call.only(g.node("Div", {x, root}), call.x().mask);
}

Values write_batch_normalization(const Call& call) {
  auto& g = call.graph;
  const auto& o = call.layer.as<BatchNormalization>()->options();
  const Value& x = call.x();
  const bool flat = x.rank() == 2;
  const auto rows = flat ? x.name : g.reshape(x.name, Sizes{-1, x.size(-1)});
  auto y = g.node("BatchNormalization",
                  {rows, or_constant(call, "gamma", 1), or_constant(call, "beta", 0),
                   call.put("moving_mean"), call.put("moving_variance")},
                  {attribute("epsilon", o.epsilon)});
  if (!flat) y = g.reshape_as(y, g.shape(x.name));
  return call.only(y, x.mask);
}

Values write_group_normalization(const Call& call) {
  auto& g = call.graph;
  const auto& o = call.layer.as<GroupNormalization>()->options();
  const Value& x = call.x();
  const auto features = x.size(-1), groups = o.groups == -1 ? features : o.groups;
  if (x.mask && x.mask->rank > 2) return call.refuse("its mask has more than two axes", "Reshape");
  const Value read = call.to.cleaned(x);
  Sizes split(static_cast<std::size_t>(x.rank()) - 1, 0), axes;
  split.insert(split.end(), {groups, features / groups});
  for (int i = 1; i < x.rank() - 1; ++i) axes.push_back(i);
  axes.push_back(x.rank());
  const auto parts = g.reshape(read.name, split);
  std::string mean, moved, variance;
  if (x.masked_steps()) {
    // The values of a group in a sequence: its valid steps times all that stands at each.
    auto count = g.node(
        "Mul", {g.node("Max", {call.to.lengths(x), g.integer(1)}), g.integer(features / groups)});
    for (int i = 2; i < x.rank() - 1; ++i) count = g.node("Mul", {count, call.to.size_of(x, i)});
    Sizes ones(static_cast<std::size_t>(x.rank()), 0);
    for (std::size_t i = 0; i < ones.size(); ++i) ones[i] = static_cast<std::int64_t>(i) + 1;
    const auto total = g.unsqueeze(g.cast(count, type_of(x.dtype())), ones);
    const auto mean_of = [&](const std::string& v) {
      return g.node("Div", {g.reduce("ReduceSum", v, axes, true), total});
    };
    mean = mean_of(parts);
    moved = g.where(call.to.valid(x, x.rank() + 1), g.node("Sub", {parts, mean}), call.real(0));
    variance = mean_of(g.node("Mul", {moved, moved}));
  } else {
    mean = g.reduce("ReduceMean", parts, axes, true);
    moved = g.node("Sub", {parts, mean});
    variance = g.reduce("ReduceMean", g.node("Mul", {moved, moved}), axes, true);
  }
  const auto root = g.node("Sqrt", {g.node("Add", {variance, call.real(o.epsilon)})});
  const auto y = g.reshape_as(g.node("Div", {moved, root}), g.shape(x.name));
  return call.only(scaled_and_shifted(call, y), x.mask);
}

}  // namespace maskgrad::onnx
