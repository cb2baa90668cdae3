#include <cmath>

#include <maskgrad/layers/attention/grouped_query_attention.hpp>
#include <maskgrad/layers/attention/multi_head_attention.hpp>
#include <maskgrad/layers/attention/positions.hpp>
#include <maskgrad/layers/onnx/heads.hpp>

namespace maskgrad::onnx {
namespace {

/// [batch, steps, features] as [batch, steps, heads, dim].
std::string to_heads(const Call& call, const Value& x, const std::string& name, std::int64_t heads,
                     std::int64_t dim, bool bias) {
  auto& g = call.graph;
  const Weight kernel = call.weight(name + "/kernel");
  const auto flat = g.weight(name + "/kernel", reshaped(kernel, {kernel.dims[0], heads * dim}));
  const auto b =
      bias ? g.weight(name + "/bias", reshaped(call.weight(name + "/bias"), {heads * dim})) : "";
  return g.reshape(linear(call, x.name, flat, b), {0, 0, heads, dim});
}

/// [batch, steps, heads, dim] as [batch, key heads, heads that share it, ...].
std::string grouped(const Call& call, const std::string& x, std::int64_t groups, std::int64_t heads,
                    std::int64_t dim, bool keys) {
  auto& g = call.graph;
  const auto split = g.reshape(x, {0, 0, groups, heads / groups, dim});
  return g.transpose(split, keys ? Sizes{0, 2, 3, 4, 1} : Sizes{0, 2, 3, 1, 4});
}

/// Turns queries and keys by their positions.
void turn(const Call& call, const Attending& in, const Heads& h, std::string& q, std::string& k) {
  auto& g = call.graph;
  const auto frequencies = detail::rotary_frequencies(h.key_dim, *h.wavelength);
  const auto of_keys = g.unsqueeze(call.to.steps(in.key), {0});
  auto of_queries = g.unsqueeze(call.to.steps(in.query), {0});
  if (!in.same_steps && h.causal) {  // the last query is at the last key
    const auto later = g.node("Sub", {call.to.lengths(in.key), call.to.lengths(in.query)});
    of_queries = g.node("Add", {of_queries, g.unsqueeze(later, {1})});
  }
  const auto turned = [&](const std::string& x, const std::string& at) {
    const auto angles = g.unsqueeze(angles_of(call, at, frequencies), {2});  // for each head
    return rotated(call, x, angles, h.key_dim);
  };
  q = turned(q, of_queries);
  k = turned(k, of_keys);
}

}  // namespace

Values write_heads(const Call& call, const Heads& h) {
  auto& g = call.graph;
  const Attending in = attending(call, call.inputs, h.causal, h.window);
  auto q = to_heads(call, in.query, "query", h.heads, h.key_dim, h.use_bias);
  auto k = to_heads(call, in.key, "key", h.kv_heads, h.key_dim, h.use_bias);
  const auto v = to_heads(call, in.value, "value", h.kv_heads, h.value_dim, h.use_bias);
  if (h.wavelength) turn(call, in, h, q, k);
  const auto queries = grouped(call, q, h.kv_heads, h.heads, h.key_dim, false);
  const auto keys = grouped(call, k, h.kv_heads, h.kv_heads, h.key_dim, true);
  const auto values = grouped(call, v, h.kv_heads, h.kv_heads, h.value_dim, false);
  const auto scale = call.real(1 / std::sqrt(static_cast<double>(h.key_dim)));
  const auto scores = g.node("MatMul", {g.node("Mul", {queries, scale}), keys});
  const auto weights = weights_of_scores(call, in, scores, 2);
  const auto context = g.transpose(g.node("MatMul", {weights, values}), {0, 3, 1, 2, 4});
  const auto width = h.heads * h.value_dim;
  const Weight kernel = call.weight("output/kernel");
  const auto flat = g.weight("output/kernel", reshaped(kernel, {width, kernel.dims[2]}));
  Value y{linear(call, g.reshape(context, {0, 0, width}), flat,
                 h.use_bias ? call.put("output/bias") : ""),
          call.metas[0], in.query.mask};
  Values results{call.result(call.to.unpacked(y, call.x()).name, call.x().mask)};
  if (h.scores) {
    const auto last = g.reshape(g.transpose(weights, {0, 3, 4, 1, 2}), {0, 0, 0, h.heads});
    results.push_back(scores_result(call, in, call.inputs, last));
  }
  return results;
}

Values write_multi_head_attention(const Call& call) {
  const auto& o = call.layer.as<MultiHeadAttention>()->options();
  return write_heads(
      call, {o.num_heads, o.num_heads, o.key_dim, o.value_dim.value_or(o.key_dim), o.use_bias,
             o.use_causal_mask, o.return_attention_scores, o.window, o.rotary_max_wavelength});
}

Values write_grouped_query_attention(const Call& call) {
  const auto& o = call.layer.as<GroupedQueryAttention>()->options();
  return write_heads(
      call, {o.num_query_heads, o.num_key_value_heads, o.head_dim, o.head_dim, o.use_bias,
             o.use_causal_mask, o.return_attention_scores, o.window, o.rotary_max_wavelength});
}

}  // namespace maskgrad::onnx
