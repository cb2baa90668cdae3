#include <maskgrad/layers/keras/assemble.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/layers/basic/lambda.hpp>
#include <maskgrad/layers/keras/rules.hpp>

namespace maskgrad::detail {
namespace {

// x under a mask that is a tensor.
AnyLayer applied_mask(const std::string& name) {
  constexpr MaskContract contract{.role = MaskRole::produces,
                                  .why = "puts a mask that is a tensor on another tensor"};
  const auto apply = [](const Tensors& x) {
    const Tensor valid = x.at(1).has_mask() ? x[1].drop_mask("padding is not valid") : x.at(1);
    return with_mask(x[0], Mask::keep(valid));
  };
  return AnyLayer(Lambda(apply, contract, {.name = keras_path_name(name)}));
}

// Ends a mask that hides nothing; where it hides steps, says for which layer that cannot be.
constexpr std::string_view guard_why = "ends a mask that hides no step, and refuses others";
AnyLayer guard_of(const KerasLayer& layer) {
  constexpr MaskContract contract{.role = MaskRole::consumes, .why = guard_why};
  const std::string title = fmt::format("{} '{}'", layer.class_name, layer.name);
  const auto pass = [title](const Tensor& x) {
    if (!x.has_mask()) return x;
    if (!x.is_meta() && !x.mask().all_valid()) {
      fail<MaskError>(title,
                      "got {}, of which steps are padding, and cannot respect a mask; run each "
                      "sequence alone, cut to its steps, or load with .as_keras",
                      x.describe());
    }
    return x.drop_mask("it hides nothing");
  };
  return AnyLayer(Lambda(pass, contract, {.name = keras_path_name(layer.name + "_guard")}));
}

class KerasAssembler {
 public:
  KerasAssembler(const KerasModel& model, KerasMaking& making) : model_(model), making_(making) {
    for (std::size_t c = 0; c < model.calls.size(); ++c) {
      const auto& call = model.calls[c];
      steps_.push_back({&model.layers[call.layer], model.layers[call.layer].name, call.arguments});
    }
  }

  Functional run() {
    follow_masks();
    find_needed();
    for (std::size_t c = 0; c < steps_.size(); ++c) {
      nodes_.push_back({});
      if (c < model_.inputs.size()) {
        nodes_[c] = built_.input(keras_path_name(model_.inputs[c].name));
      } else if (needed_[c]) {
        nodes_[c] = call(c);
      }
    }
    std::vector<Functional::Node> outputs;
    for (const auto& value : model_.outputs) outputs.push_back(node(value));
    if (making_.troubles.empty()) built_.outputs(outputs);
    return std::move(built_);
  }

 private:
  bool masked(const KerasValue& value) const {
    return value.call >= 0 && value.call < std::ssize(masked_) &&
           masked_[static_cast<std::size_t>(value.call)];
  }
  // Which results carry a mask from inside of the model, whatever its inputs carry.
  void follow_masks() {
    for (std::size_t c = 0; c < steps_.size(); ++c) {
      const auto& step = steps_[c];
      const auto inputs = step.inputs();
      const bool any_masked = std::ranges::any_of(inputs, [&](const auto& v) { return masked(v); });
      const auto traits = keras_traits(*step.layer, 3, any);
      bool out =
          any_masked && traits.steps != KerasSteps::ends && traits.steps != KerasSteps::unknown;
      const auto* mask = step.keyword("mask");
      const bool given = mask && !mask->values.empty();
      applies_.push_back(given && !inputs.empty() && !masked(inputs[0]));
      if (applies_.back()) out = traits.steps != KerasSteps::ends;
      if (needs_guard(step)) out = false;
      if (making_.guard && c < model_.inputs.size()) out = true;
      if (traits.role == KerasRole::makes) out = true;
      masked_.push_back(out);
    }
  }
  // Whether the layer is one that refuses masks, of those that come from inside of the file.
  bool needs_guard(const KerasStep& step) const {
    if (!making_.guard) return false;
    const auto& layer = *step.layer;
    if (told_of(layer, making_.options)) {
      return told_steps(layer, making_.options).steps == KerasSteps::windows;
    }
    constexpr std::string_view windows[] = {"UpSampling1D", "ZeroPadding1D", "Cropping1D",
                                            "Conv1DTranspose"};
    return keras_traits(layer, 3, any).steps == KerasSteps::positions ||
           std::ranges::find(windows, layer.class_name) != std::end(windows);
  }
  // Those that the outputs depend on; tensors that are masks only where a layer has no other.
  void find_needed() {
    needed_.assign(steps_.size(), false);
    const auto need = [&](const KerasValue& v) {
      if (v.call >= 0) needed_[static_cast<std::size_t>(v.call)] = true;
    };
    for (const auto& value : model_.outputs) need(value);
    for (std::size_t c = steps_.size(); c-- > 0;) {
      if (!needed_[c]) continue;
      for (const auto& value : steps_[c].inputs()) need(value);
      const auto* mask = steps_[c].keyword("mask");
      if (applies_[c]) std::ranges::for_each(mask->values, need);
    }
  }

  Functional::Node node(const KerasValue& value) const {
    const auto at = nodes_.at(static_cast<std::size_t>(std::max(value.call, 0)));
    return {at.call, at.result + value.result};
  }

  // The layer, made when it is called first; null where it cannot be.
  std::optional<Functional::LayerId> layer_of(std::size_t c) {
    const KerasLayer* layer = steps_[c].layer;
    if (const auto known = made_.find(layer); known != made_.end()) return known->second;
    std::vector<const KerasStep*> calls;
    for (const auto& step : steps_) {
      if (step.layer == layer) calls.push_back(&step);
    }
    auto made =
        layer->operation ? make_keras_operation(steps_[c], making_) : make_called(*layer, calls);
    if (!made) return made_[layer] = std::nullopt;
    if (layer->operation) return built_.layer(std::move(*made));
    return made_[layer] = built_.layer(std::move(*made));
  }
  std::optional<AnyLayer> make_called(const KerasLayer& layer,
                                      const std::vector<const KerasStep*>& calls) {
    if (layer.model || told_of(layer, making_.options)) return make_keras_layer(layer, making_);
    const KerasLayer with = with_call_options(layer, calls);
    if (with.config == layer.config) return make_keras_layer(layer, making_);
    // What the file tells of its weights is told of the original.
    return make_keras_layer(with, making_);
  }

  Functional::Node call(std::size_t c) {
    const auto& step = steps_[c];
    std::vector<Functional::Node> inputs;
    for (const auto& value : ordered_inputs(step)) inputs.push_back(node(value));
    if (inputs.empty()) {
      making_.troubles.push_back(fmt::format("'{}' is called without a tensor", step.path));
      return {};
    }
    if (makes_ids(*step.layer) || changes_nothing(*step.layer)) return inputs[0];
    std::vector<bool> carry;
    for (const auto& value : ordered_inputs(step)) carry.push_back(masked(value));
    check_attention_masks(step, carry, making_);
    const auto layer = layer_of(c);
    if (!layer || !making_.troubles.empty()) return {};
    if (needs_guard(step)) {
      const auto values = ordered_inputs(step);
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (!masked(values[i])) continue;
        const auto guard = under_name(guard_of(*step.layer),
                                      fmt::format("{}_guard_{}", step.layer->name, guards_++));
        inputs[i] = built_.add(guard, {inputs[i]});
      }
    }
    if (applies_[c]) {
      const auto mask = node(step.keyword("mask")->values[0]);
      inputs[0] = built_.add(applied_mask(step.layer->name + "_mask"), {inputs[0], mask});
    }
    return built_.call(*layer, inputs);
  }
  const KerasModel& model_;
  KerasMaking& making_;
  Functional built_;
  std::vector<KerasStep> steps_;
  std::vector<bool> masked_, applies_, needed_;
  int guards_ = 0;
  std::vector<Functional::Node> nodes_;
  std::map<const KerasLayer*, std::optional<Functional::LayerId>> made_;
};

}  // namespace

KerasLayer with_call_options(const KerasLayer& layer, const std::vector<const KerasStep*>& calls) {
  KerasLayer with = layer;
  for (const char* key : {"use_causal_mask", "return_attention_scores"}) {
    for (const auto* step : calls) {
      const auto* argument = step->keyword(key);
      if (argument && argument->constant.is_boolean() && argument->constant.get<bool>()) {
        with.config[key] = true;
      }
    }
  }
  if (is_attention(layer) && config_flag(layer.config, "causal"))
    with.config["use_causal_mask"] = true;
  return with;
}

bool is_keras_guard(const AnyLayer& layer) {
  return layer.kind() == "Lambda" && layer.contract().why == guard_why;
}

std::vector<KerasValue> ordered_inputs(const KerasStep& step) {
  auto inputs = step.inputs();
  if (!is_attention(*step.layer)) return inputs;
  // query, value, key, in any order of keywords.
  std::vector<KerasValue> ordered;
  for (const auto& argument : step.arguments) {
    if (argument.keyword.empty())
      ordered.insert(ordered.end(), argument.values.begin(), argument.values.end());
  }
  for (const char* key : {"query", "value", "key"}) {
    if (const auto* argument = step.keyword(key)) {
      ordered.insert(ordered.end(), argument->values.begin(), argument->values.end());
    }
  }
  return ordered;
}

void check_attention_masks(const KerasStep& step, const std::vector<bool>& masked,
                           KerasMaking& making) {
  if (!is_attention(*step.layer) || masked.empty()) return;
  constexpr std::string_view masks[] = {"query_mask", "value_mask", "key_mask", "attention_mask"};
  for (std::size_t i = 0; i < std::size(masks); ++i) {
    const auto* mask = step.keyword(masks[i]);
    if (!mask || mask->values.empty()) continue;
    // Keras 3 hands over the masks that the inputs carry by these names too.
    const bool own = i < 3 && masked.at(i < masked.size() ? i : masked.size() - 1);
    if (own) continue;
    making.troubles.push_back(fmt::format(
        "{} '{}' is called with a tensor as {}; only masks that its inputs carry are taken, and "
        "use_causal_mask",
        step.layer->class_name, step.layer->name, masks[i]));
  }
}

bool ignores_mask(const KerasStep& step, int major) {
  if (major < 3 || !is_recurrent(*step.layer)) return false;
  const auto* states = step.keyword("initial_state");
  if (states && !states->values.empty()) return true;
  return std::ranges::count_if(step.arguments, [](const KerasArgument& a) {
           return a.keyword.empty() && !a.values.empty();
         }) > 1;
}

KerasTold told_steps(const KerasLayer& layer, const KerasOptions& options) {
  const auto* factory = told_of(layer, options);
  if (!factory) return {};
  const auto role =
      (*factory)({layer.shown(), layer.name, json_text(layer.config)}).contract().role;
  if (role == MaskRole::propagates || role == MaskRole::produces) return {true, KerasSteps::each};
  if (role == MaskRole::supports) return {true, KerasSteps::reads};
  if (role == MaskRole::consumes) return {true, KerasSteps::ends};
  return {true, KerasSteps::windows};
}

Functional assemble_keras(const KerasModel& model, KerasMaking& making) {
  return KerasAssembler(model, making).run();
}

std::optional<AnyLayer> make_keras_model(const KerasLayer& layer, KerasMaking& making) {
  const auto before = making.troubles.size();
  Functional made = assemble_keras(*layer.model, making);
  if (making.troubles.size() != before) return {};
  return under_name(AnyLayer(std::move(made)), layer.name);
}

}  // namespace maskgrad::detail
