#include <maskgrad/layers/keras/flat.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace maskgrad::detail {
namespace {

constexpr std::size_t most_flat_steps = 100'000;

class KerasFlattener {
 public:
  explicit KerasFlattener(std::vector<std::string>& troubles) : troubles_(troubles) {}

  KerasFlat run(const KerasModel& model) {
    std::vector<KerasValue> inputs;
    for (const auto& input : model.inputs) {
      inputs.push_back({static_cast<int>(flat_.steps.size()), 0});
      flat_.steps.push_back({nullptr, input.name});
    }
    flat_.outputs = inside(model, "", inputs);
    return std::move(flat_);
  }

 private:
  std::vector<KerasValue> inside(const KerasModel& model, const std::string& prefix,
                                 const std::vector<KerasValue>& inputs) {
    std::vector<std::vector<KerasValue>> made;  // the results of each call; empty: as many as asked
    std::vector<int> steps;
    const auto of = [&](const KerasValue& value) -> KerasValue {
      const auto call = static_cast<std::size_t>(value.call);
      if (value.call < 0 || call >= made.size()) return {};
      if (steps[call] >= 0) return {steps[call], value.result};
      if (value.result < std::ssize(made[call]))
        return made[call][static_cast<std::size_t>(value.result)];
      troubles_.push_back(fmt::format("result {} of '{}{}' is read, which has {}", value.result,
                                      prefix, model.layers[model.calls[call].layer].name,
                                      made[call].size()));
      return {};
    };
    for (std::size_t c = 0; c < model.calls.size(); ++c) {
      if (c < inputs.size()) {
        made.push_back({inputs[c]});
        steps.push_back(-1);
        continue;
      }
      const auto& call = model.calls[c];
      const auto& layer = model.layers[call.layer];
      KerasStep step{&layer, prefix + layer.name, call.arguments};
      for (auto& argument : step.arguments) {
        for (auto& value : argument.values) value = of(value);
      }
      if (layer.model) {
        const auto given = step.inputs();
        if (given.size() != layer.model->inputs.size()) {
          troubles_.push_back(
              fmt::format("the model '{}' is called with {} tensors; it has {} inputs", step.path,
                          given.size(), layer.model->inputs.size()));
          return {};
        }
        made.push_back(inside(*layer.model, step.path + "/", given));
        steps.push_back(-1);
      } else if (makes_ids(layer) && !step.inputs().empty()) {
        made.push_back({step.inputs()[0]});
        steps.push_back(-1);
      } else {
        made.push_back({});
        steps.push_back(static_cast<int>(flat_.steps.size()));
        flat_.steps.push_back(std::move(step));
      }
      if (flat_.steps.size() > most_flat_steps) {
        if (!told_) troubles_.push_back("it makes more than 100000 calls");
        told_ = true;
        return {};
      }
    }
    std::vector<KerasValue> outputs;
    for (const auto& value : model.outputs) outputs.push_back(of(value));
    return outputs;
  }

  std::vector<std::string>& troubles_;
  KerasFlat flat_;
  bool told_ = false;
};

}  // namespace

std::vector<KerasValue> KerasStep::inputs() const {
  std::vector<KerasValue> all;
  for (const auto& argument : arguments) {
    if (argument.keyword.ends_with("mask")) continue;
    all.insert(all.end(), argument.values.begin(), argument.values.end());
  }
  return all;
}

const KerasArgument* KerasStep::keyword(std::string_view name) const {
  const auto found = std::ranges::find(arguments, name, &KerasArgument::keyword);
  return found == arguments.end() ? nullptr : &*found;
}

KerasFlat flatten_keras(const KerasModel& model, std::vector<std::string>& troubles) {
  return KerasFlattener(troubles).run(model);
}

bool makes_ids(const KerasLayer& layer) {
  return layer.class_name == "TextVectorization" || layer.class_name == "StringLookup" ||
         layer.class_name == "IntegerLookup";
}

bool changes_nothing(const KerasLayer& layer) {
  constexpr std::string_view names[] = {"ActivityRegularization", "Identity", "InputLayer"};
  return std::ranges::find(names, layer.class_name) != std::end(names);
}

void take_ids_for_texts(KerasModel& model, std::vector<std::string>& troubles) {
  for (const auto& call : model.calls) {
    const auto& layer = model.layers[call.layer];
    if (!makes_ids(layer) || call.arguments.empty() || call.arguments[0].values.empty()) continue;
    const auto mode = config_text(layer.config, "output_mode", "int");
    const auto from = call.arguments[0].values[0].call;
    const bool of_input = from >= 0 && from < std::ssize(model.inputs);
    if (mode != "int" && mode != "one_hot" && of_input) {
      // Numbers for each text, as many as what reads them has weights for.
      auto& input = model.inputs[static_cast<std::size_t>(from)];
      input.dtype = "float32";
      input.shape.reset();
    } else if (mode != "int") {
      troubles.push_back(
          fmt::format("{} '{}' gives {}, not ids", layer.class_name, layer.name, mode));
    } else if (!of_input) {
      troubles.push_back(fmt::format("{} '{}' reads the result of another layer; expected an input",
                                     layer.class_name, layer.name));
    } else {
      auto& input = model.inputs[static_cast<std::size_t>(from)];
      input.dtype = "int64";
      if (layer.class_name == "TextVectorization") {
        input.shape = {any, config_whole(layer.config, "output_sequence_length").value_or(any)};
      }
    }
  }
}

}  // namespace maskgrad::detail
