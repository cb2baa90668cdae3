#include <map>

#include <maskgrad/layers/attention/transformer_decoder.hpp>
#include <maskgrad/layers/attention/transformer_encoder.hpp>
#include <maskgrad/layers/onnx/families.hpp>

namespace maskgrad::onnx {
namespace {

/// The layers in a block, by their names in it.
class Block {
 public:
  template <class L>
  Block(const Call& call, L& block) : call_(call) {
    L::each_layer(block, [this](std::string_view name, auto& layer) {
      layers_.emplace(std::string(name), AnyLayer(layer));
    });
    first_ = block.options().normalize_first;
  }

  Values run(const std::string& name, const Values& inputs) {
    return call_.to.call(layers_.at(name), inputs);
  }
  /// x + f(norm(x)), or norm(x + f(x)).
  template <class F>
  Value residual(const Value& x, const std::string& name, F&& f) {
    const std::string norm = name + "_layer_norm";
    const Value y = f(first_ ? run(norm, {x})[0] : x);
    call_.graph.enter(call_.layer.info().path);
    Value sum{call_.graph.node("Add", {y.name, x.name}), x.meta, x.mask};
    return first_ ? sum : run(norm, {sum})[0];
  }
  Value feedforward(const Value& x) {
    return residual(x, "feedforward", [&](const Value& y) {
      return run("feedforward_output_dense", run("feedforward_intermediate_dense", {y}))[0];
    });
  }

 private:
  const Call& call_;
  std::map<std::string, AnyLayer> layers_;
  bool first_ = false;
};

}  // namespace

Values write_transformer_encoder(const Call& call) {
  Block block(call, *call.layer.as<TransformerEncoder>());
  Values scores;
  const Value x = block.residual(call.x(), "self_attention", [&](const Value& y) {
    scores = block.run("self_attention_layer", {y});
    return scores[0];
  });
  Values results{block.feedforward(x)};
  results.insert(results.end(), scores.begin() + 1, scores.end());
  return results;
}

Values write_transformer_decoder(const Call& call) {
  Block block(call, *call.layer.as<TransformerDecoder>());
  Value x = block.residual(call.x(), "self_attention",
                           [&](const Value& y) { return block.run("self_attention", {y})[0]; });
  if (call.inputs.size() > 1) {
    x = block.residual(x, "cross_attention", [&](const Value& y) {
      return block.run("cross_attention", {y, call.inputs[1]})[0];
    });
  }
  return {block.feedforward(x)};
}

}  // namespace maskgrad::onnx
