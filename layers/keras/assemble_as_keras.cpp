#include <fmt/format.h>

#include <algorithm>
#include <map>

#include <maskgrad/autograd/ops.hpp>
#include <maskgrad/layers/basic/lambda.hpp>
#include <maskgrad/layers/keras/assemble.hpp>
#include <maskgrad/layers/keras/under_mask.hpp>

namespace maskgrad::detail {
namespace {

constexpr MaskContract dense_contract{.role = MaskRole::unsupported,
                                      .why = "it computes on padding as Keras does",
                                      .ways_out = "load_keras without .as_keras"};

// A tensor as Keras has it: dense, with its mask beside it.
struct DenseSlot {
  Functional::Node node = {};
  std::optional<Functional::Node> mask = {};
};

class KerasDenseAssembler {
 public:
  KerasDenseAssembler(const KerasModel& model, const KerasFlat& flat, KerasMaking& making)
      : model_(model), flat_(flat), making_(making) {}

  Functional run() {
    find_needed();
    for (std::size_t i = 0; i < flat_.steps.size(); ++i) {
      const auto& step = flat_.steps[i];
      if (i < model_.inputs.size()) {
        results_.push_back({{built_.input(keras_path_name(step.path))}});
      } else if (needed_[i]) {
        results_.push_back(call(step));
      } else {
        results_.emplace_back();
      }
    }
    std::vector<Functional::Node> outputs;
    for (const auto& value : flat_.outputs) outputs.push_back(slot(value).node);
    if (making_.troubles.empty()) built_.outputs(outputs);
    return std::move(built_);
  }

 private:
  void find_needed() {
    needed_.assign(flat_.steps.size(), false);
    for (const auto& value : flat_.outputs) mark(value);
    for (std::size_t i = flat_.steps.size(); i-- > 0;) {
      if (!needed_[i]) continue;
      for (const auto& argument : flat_.steps[i].arguments) {
        if (argument.keyword != "attention_mask")
          std::ranges::for_each(argument.values, [&](auto v) { mark(v); });
      }
    }
  }
  void mark(const KerasValue& value) {
    if (value.call >= 0) needed_[static_cast<std::size_t>(value.call)] = true;
  }
  DenseSlot slot(const KerasValue& value) const {
    if (value.call < 0 || results_[static_cast<std::size_t>(value.call)].empty()) return {};
    const auto& all = results_[static_cast<std::size_t>(value.call)];
    const auto at = static_cast<std::size_t>(value.result);
    if (at < all.size()) return all[at];
    return {{all[0].node.call, all[0].node.result + value.result}, {}};
  }

  Functional::Node lambda(const std::string& name, Callable function,
                          const std::vector<Functional::Node>& inputs) {
    return built_.add(
        AnyLayer(Lambda(std::move(function), dense_contract, {.name = free_name(name)})), inputs);
  }
  std::string free_name(const std::string& name) {
    const auto n = names_[name]++;
    return keras_path_name(n == 0 ? name : fmt::format("{}_{}", name, n));
  }

  std::vector<DenseSlot> call(const KerasStep& step) {
    const auto& layer = *step.layer;
    std::vector<DenseSlot> inputs;
    for (const auto& value : ordered_inputs(step)) inputs.push_back(slot(value));
    if (inputs.empty()) {
      making_.troubles.push_back(fmt::format("'{}' is called without a tensor", step.path));
      return {{}};
    }
    if (changes_nothing(layer)) return {inputs[0]};
    const auto* explicit_mask = step.keyword("mask");
    if (explicit_mask && !explicit_mask->values.empty()) {
      inputs[0].mask = slot(explicit_mask->values[0]).node;
    }
    const KerasTold told{told_of(layer, making_.options) != nullptr, KerasSteps::unknown};
    const auto traits = keras_traits(layer, 3, any, told);
    if (told.told || layer.operation) return {{plain(step, inputs), {}}};
    if (traits.role == KerasRole::makes) return {making(step, inputs[0])};
    if (traits.role == KerasRole::reads) return reading(step, inputs);
    const auto y = plain(step, inputs);
    if (traits.role == KerasRole::passes) return {{y, inputs[0].mask}};
    if (traits.role == KerasRole::merges) return {{y, merged_mask(step, inputs)}};
    if (traits.role == KerasRole::concatenates) return {{y, joined_mask(step, inputs)}};
    return {{y, {}}};
  }

  Functional::Node plain(const KerasStep& step, const std::vector<DenseSlot>& inputs) {
    const auto layer = layer_of(step, 0);
    std::vector<Functional::Node> nodes;
    for (const auto& input : inputs) nodes.push_back(input.node);
    return layer && making_.troubles.empty() ? built_.call(*layer, nodes) : Functional::Node{};
  }

  DenseSlot making(const KerasStep& step, const DenseSlot& x) {
    const auto name = step.path + "_mask";
    const double padding = making_.padding;
    const auto put = [padding](const Tensors& t) {
      const Tensor valid = broadcast_to(expand_dims(t.at(1), -1), t.at(0).shape());
      return where(valid, t[0], zeros_like(t[0]) + padding);
    };
    if (step.layer->class_name == "Embedding") {
      const auto mask =
          lambda(name, [](const Tensor& ids) { return not_equal(ids, 0.0); }, {x.node});
      const auto y = plain(step, {x});
      if (padding == 0) return {y, mask};
      return {lambda(step.path + "_padding", put, {y, mask}), mask};
    }
    const Json* given = config_at(step.layer->config, "mask_value");
    const double value = given && given->is_number() ? given->get<double>() : 0;
    const auto differs = [value](const Tensor& t) { return any_true(not_equal(t, value), {-1}); };
    const auto mask = lambda(name, differs, {x.node});
    return {lambda(step.path, put, {x.node, mask}), mask};  // Keras multiplies by the mask
  }

  std::vector<DenseSlot> reading(const KerasStep& step, const std::vector<DenseSlot>& inputs) {
    const bool attention = is_attention(*step.layer);
    const auto count = attention ? inputs.size() : std::size_t{1};
    const bool ignored = ignores_mask(step, making_.major);
    const bool passes = attention || (is_recurrent(*step.layer) && returns_sequences(*step.layer));
    std::vector<bool> carry;
    for (const auto& input : inputs) carry.push_back(input.mask.has_value());
    check_attention_masks(step, carry, making_);
    const auto passed = passes ? inputs[0].mask : std::nullopt;
    if (!has_masks()) return {{plain(step, inputs), passed}};
    const auto layer = layer_of(step, count);
    std::vector<Functional::Node> nodes;
    for (const auto& input : inputs) nodes.push_back(input.node);
    for (std::size_t i = 0; i < count; ++i) {
      const bool read = !ignored && inputs[i].mask;
      nodes.push_back(read ? *inputs[i].mask : all_valid(step, inputs[i]));
    }
    if (!layer || !making_.troubles.empty()) return {{}};
    return {{built_.call(*layer, nodes), passed}};
  }
  Functional::Node all_valid(const KerasStep& step, const DenseSlot& x) {
    return lambda(step.path + "_all",
                  [](const Tensor& t) {
                    const Tensor one = t.rank() > 2 ? select(t, 2, 0) : t;
                    return equal(zeros_like(one), 0.0);
                  },
                  {x.node});
  }

  std::optional<Functional::Node> merged_mask(const KerasStep& step,
                                              const std::vector<DenseSlot>& inputs) {
    std::vector<Functional::Node> masks;
    for (const auto& input : inputs) {
      if (!input.mask) return {};
      masks.push_back(*input.mask);
    }
    return masks.size() == 1 ? masks[0] : combined(step, masks, logical_or);
  }
  std::optional<Functional::Node> joined_mask(const KerasStep& step,
                                              const std::vector<DenseSlot>& inputs) {
    if (std::ranges::none_of(inputs, [](const DenseSlot& s) { return s.mask.has_value(); }))
      return {};
    std::vector<Functional::Node> masks;
    for (const auto& input : inputs)
      masks.push_back(input.mask ? *input.mask : all_valid(step, input));
    if (config_whole(step.layer->config, "axis").value_or(-1) == 1) {
      return lambda(
          step.path + "_mask", [](const Tensors& m) { return concatenate(m, 1); }, masks);
    }
    return combined(step, masks, logical_and);
  }
  Functional::Node combined(const KerasStep& step, const std::vector<Functional::Node>& masks,
                            Tensor (*how)(const Tensor&, const Tensor&)) {
    return lambda(
        step.path + "_mask",
        [how](const Tensors& m) {
          Tensor all = m.at(0);
          for (std::size_t i = 1; i < m.size(); ++i) all = how(all, m[i]);
          return all;
        },
        masks);
  }

  // The layer, made when it is called first; `masks`: how many of its inputs have one.
  std::optional<Functional::LayerId> layer_of(const KerasStep& step, std::size_t masks) {
    const KerasLayer* layer = step.layer;
    if (const auto known = made_.find(layer); known != made_.end()) return known->second;
    std::vector<const KerasStep*> calls;
    for (const auto& other : flat_.steps) {
      if (other.layer == layer) calls.push_back(&other);
    }
    KerasLayer with = with_call_options(*layer, calls);
    if (with.class_name == "Embedding") with.config["mask_zero"] = false;
    const bool original = with.config == layer->config;
    auto made = layer->operation ? make_keras_operation(step, making_)
                                 : make_keras_layer(original ? *layer : with, making_);
    if (!made) return made_[layer] = std::nullopt;
    *made = under_name(std::move(*made), step.path);
    if (masks > 0) {
      *made = AnyLayer(
          KerasUnderMask(std::move(*made), masks, fill_of(*layer), runs_backwards(*layer)));
    }
    return made_[layer] = built_.layer(std::move(*made));
  }
  // Without any, layers that read them stay what they are.
  bool has_masks() const {
    return std::ranges::any_of(flat_.steps, [](const KerasStep& s) {
      return s.layer &&
             (keras_traits(*s.layer, 3, any).role == KerasRole::makes || s.keyword("mask"));
    });
  }
  static bool runs_backwards(const KerasLayer& layer) {
    return layer.class_name != "Bidirectional" && config_flag(layer.config, "go_backwards");
  }
  static KerasFill fill_of(const KerasLayer& layer) {
    if (is_attention(layer)) return KerasFill::mean_of_all;
    if (!is_recurrent(layer)) return KerasFill::nan;
    // Bidirectional sets it where sequences are returned.
    const bool zeros =
        layer.class_name == "Bidirectional" || config_flag(layer.config, "zero_output_for_mask");
    return zeros ? KerasFill::zeros : KerasFill::repeats;
  }

  const KerasModel& model_;
  const KerasFlat& flat_;
  KerasMaking& making_;
  Functional built_;
  std::vector<bool> needed_;
  std::vector<std::vector<DenseSlot>> results_;
  std::map<const KerasLayer*, std::optional<Functional::LayerId>> made_;
  std::map<std::string, int> names_;
};

}  // namespace

Functional assemble_as_keras(const KerasModel& model, const KerasFlat& flat, KerasMaking& making) {
  return KerasDenseAssembler(model, flat, making).run();
}

}  // namespace maskgrad::detail
