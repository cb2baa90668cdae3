#include <maskgrad/layers/attention/positions.hpp>

#include <cmath>

#include <maskgrad/layers/onnx/families.hpp>

namespace maskgrad::onnx {

std::string angles_of(const Call& call, const std::string& positions,
                      const std::vector<double>& frequencies) {
  auto& g = call.graph;
  const Weight by{call.dtype(), {static_cast<std::int64_t>(frequencies.size())}, frequencies};
  const auto at = g.unsqueeze(g.cast(positions, type_of(call.dtype())), {-1});
  return g.node("Mul", {at, g.weight("frequencies", by)});
}

std::string rotated(const Call& call, const std::string& x, const std::string& angles,
                    std::int64_t features) {
  auto& g = call.graph;
  const auto half = features / 2;
  const auto cos = g.node("Cos", {angles}), sin = g.node("Sin", {angles});
  const auto part = [&](std::int64_t from, std::int64_t to) {
    return g.slice(x, -1, g.integers({from}), g.integers({to}));
  };
  const auto a = part(0, half), b = part(half, features);
  const auto product = [&](const std::string& u, const std::string& v) {
    return g.node("Mul", {u, v});
  };
  return g.concat({g.node("Sub", {product(a, cos), product(b, sin)}),
                   g.node("Add", {product(b, cos), product(a, sin)})},
                  -1);
}

namespace {

/// The ranks of the steps from `start` on, [time].
std::string ranks(const Call& call, const Value& steps, std::int64_t start) {
  const auto at = call.to.steps(steps);
  return start == 0 ? at : call.graph.node("Add", {at, call.graph.integer(start)});
}

/// A row for each rank, [time, features], as the result.
Values by_rank(const Call& call, const Value& steps, const std::string& table) {
  auto& g = call.graph;
  const auto size = g.concat(
      {call.to.sizes_of(steps, 0), call.to.sizes_of(steps, 1), g.integers({call.x().size(2)})}, 0);
  Value y{g.node("Expand", {table, size}), call.metas[0], steps.mask};
  return call.only(call.to.unpacked(y, call.x()).name, call.x().mask);
}

}  // namespace

Values write_sine_positions(const Call& call) {
  auto& g = call.graph;
  const auto& o = call.layer.as<SinePositionEncoding>()->options();
  const auto features = call.x().size(2);
  std::vector<double> frequencies;
  for (std::int64_t i = 0; i < features; i += 2) {
    const double part = static_cast<double>(i) / static_cast<double>(features);
    frequencies.push_back(std::pow(o.max_wavelength, -part));
  }
  const Value steps = call.to.packed(call.x());
  const auto angles = angles_of(call, ranks(call, steps, o.start_index), frequencies);
  // Sine and cosine of each angle side by side.
  const auto both = g.concat(
      {g.unsqueeze(g.node("Sin", {angles}), {2}), g.unsqueeze(g.node("Cos", {angles}), {2})}, 2);
  const auto table = g.reshape(both, {0, -1});
  return by_rank(call, steps, g.slice(table, 1, g.integers({0}), g.integers({features})));
}

Values write_position_embedding(const Call& call) {
  auto& g = call.graph;
  const auto& o = call.layer.as<PositionEmbedding>()->options();
  const Value steps = call.to.packed(call.x());
  // Padding may reach beyond the last position.
  const auto at =
      g.node("Min", {ranks(call, steps, o.start_index), g.integer(o.sequence_length - 1)});
  return by_rank(call, steps, g.node("Gather", {call.put("embeddings"), at}));
}

Values write_rotary(const Call& call) {
  auto& g = call.graph;
  const auto& o = call.layer.as<RotaryEmbedding>()->options();
  const auto features = call.x().size(-1);
  auto frequencies = detail::rotary_frequencies(features, o.max_wavelength);
  for (double& f : frequencies) f /= o.scaling_factor;
  const Value steps = call.to.packed(call.x());
  auto angles = angles_of(call, ranks(call, steps, o.start_index), frequencies);
  if (call.x().rank() == 4) angles = g.unsqueeze(angles, {1});
  Value y = steps;
  y.name = rotated(call, steps.name, angles, features);
  return call.only(call.to.unpacked(y, call.x()).name, call.x().mask);
}

}  // namespace maskgrad::onnx
