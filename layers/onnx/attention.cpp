#include <maskgrad/layers/attention/additive_attention.hpp>
#include <maskgrad/layers/attention/attention.hpp>
#include <maskgrad/layers/attention/attention_pooling.hpp>
#include <maskgrad/layers/onnx/heads.hpp>

#include <cmath>

namespace maskgrad::onnx {
namespace {

/// Which pairs of positions are allowed; positions are counted from the last query and key.
std::string by_position(const Call& call, const Attending& in, bool causal,
                        std::optional<std::int64_t> window) {
  auto& g = call.graph;
  const auto query = g.unsqueeze(call.to.steps(in.query), {1});
  const auto key = g.unsqueeze(call.to.steps(in.key), {0});
  auto apart = g.unsqueeze(g.node("Sub", {key, query}), {0});  // [1, query, key]
  if (!in.same_steps) {
    const auto later = g.node("Sub", {call.to.lengths(in.key), call.to.lengths(in.query)});
    apart = g.node("Sub", {apart, g.unsqueeze(later, {1, 2})});
  }
  std::string there;
  const auto also = [&](const std::string& more) {
    there = there.empty() ? more : g.node("And", {there, more});
  };
  if (causal) also(g.node("LessOrEqual", {apart, g.integer(0)}));
  if (!window) return there;
  also(g.node("GreaterOrEqual", {apart, g.integer(-*window)}));
  if (!causal) also(g.node("LessOrEqual", {apart, g.integer(*window)}));
  return there;
}

}  // namespace

Attending attending(const Call& call, const Values& inputs, bool causal,
                    std::optional<std::int64_t> window) {
  auto& g = call.graph;
  Value value = inputs.size() > 1 ? inputs[1] : inputs[0];
  Value key = inputs.size() > 2 ? inputs[2] : value;
  const auto there = call.to.both(key, value);
  if (key.mask != there || value.mask != there) {
    key.clean = key.clean && key.mask == there;
    value.clean = value.clean && value.mask == there;
    key.mask = value.mask = there;
  }
  const bool same = inputs[0].mask == there && (there || inputs.size() == 1);
  Attending in{call.to.packed(inputs[0]), call.to.packed(key), call.to.packed(value), there, same};
  if (in.key.mask) {
    in.there = in.key.mask->rank == 1 ? g.unsqueeze(call.to.valid(in.key), {1, 2})
                                      : g.unsqueeze(call.to.valid(in.key), {1});
  }
  const auto positions = by_position(call, in, causal, window);
  if (!positions.empty()) {
    in.there = in.there.empty() ? positions : g.node("And", {in.there, positions});
  }
  return in;
}

std::string weights_of_scores(const Call& call, const Attending& in, const std::string& scores,
                              int between) {
  auto& g = call.graph;
  if (in.there.empty()) return g.node("Softmax", {scores}, {attribute("axis", -1)});
  Sizes axes;
  for (int i = 0; i < between; ++i) axes.push_back(1 + i);
  const auto there = g.unsqueeze(in.there, axes);
  const auto read = g.where(there, scores, call.real(g.least(call.dtype())));
  return g.where(there, g.node("Softmax", {read}, {attribute("axis", -1)}), call.real(0));
}

Value scores_result(const Call& call, const Attending& in, const Values& inputs,
                    const std::string& scores) {
  auto& g = call.graph;
  const Tensor& meta = call.metas[1];
  if (!meta.has_mask()) return call.result(scores, nullptr, 1);
  if (meta.mask().rank() == 1) {
    Value keys = in.key;
    keys.mask = in.key_mask;
    return call.result(scores, call.to.both(inputs[0], keys), 1);
  }
  Value y{scores, rows::make_meta(meta.shape(), meta.dtype()), in.query.mask};
  auto there = in.there;
  if (in.query.mask) {
    const auto query = in.query.mask->rank == 1 ? g.unsqueeze(call.to.valid(in.query), {1, 2})
                                                : g.unsqueeze(call.to.valid(in.query), {2});
    there = there.empty() ? query : g.node("And", {there, query});
  }
  // As large as the scores, whatever it does not depend on.
  const auto size = g.concat(
      {call.to.sizes_of(in.query, 0), call.to.sizes_of(in.query, 1), call.to.sizes_of(in.key, 1)},
      0);
  Value pairs{g.cast(g.node("Expand", {there, size}), Type::i32), in.query.meta, in.query.mask};
  const auto back = [&](Value v, int rank) {
    v.name = call.to.unpacked(v, inputs[0]).name;
    Value keys = in.key;
    keys.mask = in.key_mask;
    if (keys.mask == in.key.mask) return v.name;
    Sizes order{0, 2, 1};
    for (int i = 3; i < rank; ++i) order.push_back(i);
    v.name = g.transpose(v.name, order);
    return g.transpose(call.to.unpacked(v, keys).name, order);
  };
  y.name = back(y, meta.rank());
  auto valid = g.cast(back(pairs, 3), Type::boolean);
  // What is put back stands at padding too.
  if (inputs[0].masked_steps() && inputs[0].mask != in.query.mask) {
    valid = g.node("And", {valid, g.unsqueeze(call.to.valid(inputs[0]), {2})});
  }
  if (in.key_mask && in.key_mask != in.key.mask) {
    Value keys = in.key;
    keys.mask = in.key_mask;
    valid = g.node("And", {valid, g.unsqueeze(call.to.valid(keys), {1})});
  }
  return call.result(y.name, call.to.mask_by_values(3, valid, y.name), 1);
}

namespace {

/// Scores of sums: weight of tanh(q + k).
std::string added(const Call& call, const Value& query, const Value& key,
                  const std::string& weight) {
  auto& g = call.graph;
  const auto sum = g.node("Add", {g.unsqueeze(query.name, {2}), g.unsqueeze(key.name, {1})});
  const auto bent = g.node("Tanh", {sum});
  return g.reduce("ReduceSum", weight.empty() ? bent : g.node("Mul", {bent, weight}), {3}, false);
}

Values attended(const Call& call, const Attending& in, const std::string& scores, bool wanted) {
  auto& g = call.graph;
  const auto weights = weights_of_scores(call, in, scores, 0);
  Value y{g.node("MatMul", {weights, in.value.name}), call.metas[0], in.query.mask};
  Values results{call.result(call.to.unpacked(y, call.x()).name, call.x().mask)};
  if (wanted) results.push_back(scores_result(call, in, call.inputs, weights));
  return results;
}

}  // namespace

Values write_attention(const Call& call) {
  auto& g = call.graph;
  const auto& o = call.layer.as<Attention>()->options();
  Attending in = attending(call, call.inputs, o.use_causal_mask);
  const auto scaled = [&](const Value& x) {
    Value y = x;
    if (o.use_scale) y.name = g.node("Mul", {x.name, call.put("scale")});
    return y;
  };
  const Value query = scaled(in.query);
  std::string scores;
  if (o.score_mode == "concat") {
    scores =
        g.node("Mul", {added(call, query, scaled(in.key), ""), call.put("concat_score_weight")});
  } else {
    scores = g.node("MatMul", {query.name, g.transpose(in.key.name, {0, 2, 1})});
  }
  return attended(call, in, scores, o.return_attention_scores);
}

Values write_additive_attention(const Call& call) {
  const auto& o = call.layer.as<AdditiveAttention>()->options();
  const Attending in = attending(call, call.inputs, o.use_causal_mask);
  const auto scores = added(call, in.query, in.key, o.use_scale ? call.put("scale") : "");
  return attended(call, in, scores, o.return_attention_scores);
}

Values write_attention_pooling(const Call& call) {
  auto& g = call.graph;
  const auto& o = call.layer.as<AttentionPooling1D>()->options();
  const auto features = call.x().size(2), heads = o.num_heads, dim = features / heads;
  const Value x = call.to.packed(call.x());
  const auto steps = g.transpose(g.reshape(x.name, {0, 0, heads, dim}), {0, 2, 1, 3});
  const auto query = g.unsqueeze(call.put("query"), {1});  // [heads, 1, dim]
  const auto products = g.reduce("ReduceSum", g.node("Mul", {steps, query}), {3}, false);
  Attending in{x, x, x, nullptr, true};
  if (x.mask) {
    in.there = x.mask->rank == 1 ? g.unsqueeze(call.to.valid(x), {1, 2})
                                 : g.unsqueeze(call.to.valid(x), {1});
  }
  const auto scale = call.real(1 / std::sqrt(static_cast<double>(dim)));
  const auto weights =
      weights_of_scores(call, in, g.node("Mul", {products, scale}), 0);  // [batch, heads, time]
  const auto context = g.node("MatMul", {g.unsqueeze(weights, {2}), steps});
  auto y = g.reshape(context, o.keepdims ? Sizes{0, 1, features} : Sizes{0, features});
  MaskRef mask = call.x().mask;
  if (call.x().masked_steps()) {
    auto some = g.node("Greater", {call.to.lengths(x), g.integer(0)});
    if (o.keepdims) some = g.unsqueeze(some, {1});
    mask = call.to.mask_by_values(o.keepdims ? 2 : 1, some, y);
  } else if (mask && call.metas[0].has_mask() && call.metas[0].mask().rank() == 2) {
    mask = call.to.mask_by_values(2, g.unsqueeze(call.to.valid(x), {1}), y);
  }
  return call.only(y, mask);
}

}  // namespace maskgrad::onnx
