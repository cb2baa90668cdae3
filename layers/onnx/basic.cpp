#include <maskgrad/autograd/ops/shape/steps.hpp>
#include <maskgrad/layers/basic/dense.hpp>
#include <maskgrad/layers/basic/einsum_dense.hpp>
#include <maskgrad/layers/basic/embedding.hpp>
#include <maskgrad/layers/basic/masking.hpp>
#include <maskgrad/layers/basic/time_distributed.hpp>
#include <maskgrad/layers/losses/crf.hpp>
#include <maskgrad/layers/onnx/families.hpp>

#include <cmath>

namespace maskgrad::onnx {

std::string linear(const Call& call, const std::string& x, const std::string& kernel,
                   const std::string& bias) {
  const auto y = call.graph.node("MatMul", {x, kernel});
  return bias.empty() ? y : call.graph.node("Add", {y, bias});
}

Values write_identity(const Call& call) {
  return {call.result(call.x().name, call.x().mask, 0, call.x().clean)};
}

Values write_masking(const Call& call) {
  auto& g = call.graph;
  const Value x = call.x();
  const double value = call.layer.as<Masking>()->options().mask_value;
  const auto same =
      std::isnan(value) ? g.node("IsNaN", {x.name}) : g.node("Equal", {x.name, call.real(value)});
  const auto differs = g.cast(g.node("Not", {same}), Type::i32);
  const auto there = g.cast(g.reduce("ReduceMax", differs, {x.rank() - 1}, false), Type::boolean);
  Value y = x;
  y.mask = call.to.mask_by_values(x.rank() - 1, there, x.name);
  return call.only(x.name, call.to.both(x, y));
}

Values write_embedding(const Call& call) {
  auto& g = call.graph;
  const auto& o = call.layer.as<Embedding>()->options();
  const Value x = call.to.cleaned(call.x());
  const auto y = g.node("Gather", {call.put("embeddings"), x.name}, {attribute("axis", 0)});
  if (!o.mask_zero) return call.only(y, x.mask);
  Value ids = x;
  const auto there = g.node("Not", {g.node("Equal", {x.name, g.integer(0)})});
  ids.mask = call.to.mask_by_values(x.rank(), there, x.name);
  // Padding that the ids come with has the id 0 by now.
  return call.only(y, x.mask && !x.mask->lengths.empty() && call.to.options.padding_is_last
                          ? call.to.both(x, ids)
                          : ids.mask);
}

Values write_dense(const Call& call) {
  const auto& o = call.layer.as<Dense>()->options();
  const auto y =
      linear(call, call.x().name, call.put("kernel"), o.use_bias ? call.put("bias") : "");
  return call.only(activated(call, y, o.activation), call.x().mask);
}

Values write_einsum_dense(const Call& call) {
  const auto& o = call.layer.as<EinsumDense>()->options();
  auto y = call.graph.node("Einsum", {call.x().name, call.put("kernel")},
                           {attribute("equation", o.equation)});
  if (o.bias_axes) y = call.graph.node("Add", {y, call.put("bias")});
  return call.only(activated(call, y, o.activation), call.x().mask);
}

namespace {

/// The samples of a layer that sees each step as one.
Value samples_of_steps(const Call& call) {
  auto& g = call.graph;
  const Value& x = call.x();
  const auto as_samples = [&](const std::string& name, int rank, const Value& like) {
    Names sizes{g.integers({-1})};
    for (int i = 2; i < rank; ++i) sizes.push_back(call.to.sizes_of(like, i));
    return g.reshape_as(name, g.concat(sizes, 0));
  };
  Value samples{as_samples(x.name, x.rank(), x), steps_as_samples(x.meta)};
  if (!x.mask) return samples;
  auto steps = call.to.valid(x);
  if (x.mask->rank == 1) {
    steps = g.node("Expand", {g.unsqueeze(steps, {1}),
                              g.concat({call.to.sizes_of(x, 0), call.to.sizes_of(x, 1)}, 0)});
  }
  const int rank = std::max(2, x.mask->rank);
  samples.mask = call.to.mask_by_values(rank - 1, as_samples(steps, rank, x), samples.name);
  return samples;
}

}  // namespace

Values write_time_distributed(const Call& call) {
  auto& g = call.graph;
  const Value x = call.x();
  const Value samples = samples_of_steps(call);
  Values results;
  TimeDistributed::each_layer(*call.layer.as<TimeDistributed>(), [&](auto&&, AnyLayer& inner) {
    results = call.to.call(inner, {samples});
  });
  const auto as_steps = [&](const std::string& name, const Value& like, int rank) {
    Names sizes{call.to.sizes_of(x, 0), call.to.sizes_of(x, 1)};
    for (int i = 1; i < rank; ++i) {
      sizes.push_back(like.size(i) != any
                          ? g.integers({like.size(i)})
                          : g.node("Gather", {g.shape(like.name), g.integers({i})}));
    }
    return g.reshape_as(name, g.concat(sizes, 0));
  };
  Values steps;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Value& y = results[i];
    MaskRef mask = x.mask;
    if (y.mask && y.mask != samples.mask) {
      mask = call.to.mask_by_values(y.mask->rank + 1, as_steps(call.to.valid(y), y, y.mask->rank),
                                    x.name);
    }
    if (call.metas[i].has_mask() && mask && mask->rank != call.metas[i].mask().rank()) {
      mask = call.to.mask_by_values(2, as_steps(call.to.valid(y), y, 1), x.name);
    }
    steps.push_back(call.result(as_steps(y.name, y, y.rank()), mask, i));
  }
  return steps;
}

Values write_crf(const Call& call) {
  auto& g = call.graph;
  const auto& o = call.layer.as<CRF>()->options();
  const Value& x = call.x();
  call.put("transitions");  // which no node reads: decode does
  if (!o.use_boundary) return write_identity(call);
  const Value steps = call.to.packed(x);
  const auto at = call.to.steps(steps);  // [time]
  const auto last = g.node("Sub", {g.unsqueeze(call.to.lengths(steps), {1}), g.integer(1)});
  const auto is_last = g.unsqueeze(g.node("Equal", {g.unsqueeze(at, {0}), last}), {2});
  const auto is_first = g.unsqueeze(g.node("Equal", {at, g.integer(0)}), {1});
  const auto add = [&](const std::string& y, const std::string& there, const char* weight) {
    return g.node("Add", {y, g.where(there, call.put(weight), call.real(0))});
  };
  Value y = steps;
  y.name = add(add(steps.name, is_first, "left_boundary"), is_last, "right_boundary");
  return call.only(call.to.unpacked(y, x).name, x.mask);
}

}  // namespace maskgrad::onnx
