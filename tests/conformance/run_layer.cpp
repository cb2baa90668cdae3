#include <fmt/format.h>

#include <algorithm>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/layers/model/model.hpp>
#include <maskgrad/layers/model/sequential.hpp>
#include <maskgrad/layers/registry/factory.hpp>
#include <optional>

#include "run.hpp"

namespace maskgrad::conformance {
namespace {

/// Evaluation with a tape, for the gradients of a layer outside of training: a NoGrad that ends
/// inside an Evaluate gives back the recording that there was before both.
class Inference {
 public:
  Inference() {
    std::optional<NoGrad> before(std::in_place);
    evaluate_.emplace();
  }
  ~Inference() {
    std::optional<NoGrad> before(std::in_place);
    evaluate_.reset();
  }
  Inference(const Inference&) = delete;
  Inference& operator=(const Inference&) = delete;

 private:
  std::optional<Evaluate> evaluate_;
};

/// `forward.kernel` for the path `bidirectional/forward/kernel`.
std::string weight_name(const Parameter& p) {
  std::string name = p.name().substr(p.name().find('/') + 1);
  std::replace(name.begin(), name.end(), '/', '.');
  return name;
}

/// The parameter that a case calls `name`: by its path in the layer, or the one path that ends so
/// (the weights of a wrapped layer).
Parameter find_weight(const std::vector<Parameter>& parameters, const std::string& name) {
  std::vector<Parameter> found;
  for (const auto& p : parameters) {
    const auto own = weight_name(p);
    if (own == name) return p;
    if (own.ends_with("." + name)) found.push_back(p);
  }
  if (found.size() == 1) return found[0];
  std::string all;
  for (const auto& p : parameters) all += " " + weight_name(p);
  fail<OptionError>("conformance", "the layer has no weight '{}'; it has:{}", name, all);
}

std::vector<Spec> specs_of(const std::vector<Input>& inputs, bool masked) {
  std::vector<Spec> specs;
  for (const auto& input : inputs) {
    Shape shape = input.leaf.shape();
    if (shape.rank() > 0) shape[0] = any;
    const auto dtype = input.leaf.dtype();
    Spec spec = dtype == DType::f32   ? Spec::f32(shape)
                : dtype == DType::f64 ? Spec::f64(shape)
                                      : Spec::ids(shape);
    specs.push_back(masked && input.mask ? spec.masked(input.mask.rank()) : spec);
  }
  return specs;
}

/// The case's layer with the case's weights.
Sequential make(const Case& c, const std::vector<Spec>& specs) {
  Sequential model(std::vector<AnyLayer>{make_layer(c.subject, c.config)});
  build(model, specs);
  model = clone(model, c.real);  // one that reads ids has f32 weights
  const auto parameters = model.parameters();
  const auto names = c.under("weight.");
  for (const auto& name : names) find_weight(parameters, name).set(c.tensor("weight." + name));
  if (names.size() != parameters.size()) {
    fail<OptionError>("conformance", "the layer has {} weights, the case {}", parameters.size(),
                      names.size());
  }
  return model;
}

std::string numbered(const std::string& base, std::size_t i) {
  return i == 0 ? base : base + "." + std::to_string(i);
}

void compare_outputs(const Case& c, const Tensors& outputs, Comparison& result) {
  std::size_t expected = 0;
  while (c.has(numbered("expected.output", expected))) ++expected;
  if (expected == 0) return;
  if (outputs.size() != expected) {
    return result.wrong(fmt::format("{} outputs, expected {}", outputs.size(), expected));
  }
  for (std::size_t i = 0; i < expected; ++i) {
    result.values(numbered("expected.output", i), outputs[i]);
    result.mask(numbered("expected.mask", i), outputs[i]);
  }
}

/// Runs backward from the sum of the outputs times their upstream gradients.
void backward(const Case& c, const Tensors& outputs) {
  Tensor total;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!c.has(numbered("upstream", i))) continue;
    const Tensor part = sum(outputs[i] * c.tensor(numbered("upstream", i)));
    total = total.defined() ? total + part : part;
  }
  if (total.defined() && total.on_tape()) total.backward();
}

}  // namespace

std::vector<Input> inputs_of(const Case& c) {
  std::vector<Input> inputs;
  for (const auto& name : c.numbered("input")) {
    Input input{name, c.mask("mask" + name.substr(5)), c.tensor(name), {}};
    if (is_real(input.leaf.dtype())) input.leaf = input.leaf.with_grad();
    input.x = input.mask ? input.leaf.with_mask(input.mask) : input.leaf;
    inputs.push_back(std::move(input));
  }
  return inputs;
}

void compare_input_gradients(const Case& c, const std::vector<Input>& inputs, Comparison& result) {
  for (const auto& input : inputs) {
    const auto name = "expected.grad." + input.name;
    if (c.has(name)) result.values(name, input.leaf.grad(), input.mask);
  }
}

void run_layer(const Case& c, Comparison& result) {
  const auto inputs = inputs_of(c);
  Sequential model = make(c, specs_of(inputs, true));
  Tensors given, states;
  for (const auto& input : inputs) given.push_back(input.x);
  const auto state_names = c.numbered("initial_state");
  for (const auto& name : state_names) states.push_back(c.tensor(name).with_grad());
  given.insert(given.end(), states.begin(), states.end());

  std::optional<Inference> inference;
  if (!c.training) inference.emplace();
  const Tensors outputs = call(model, given);
  compare_outputs(c, outputs, result);
  if (!c.under("expected.grad.").empty()) backward(c, outputs);

  compare_input_gradients(c, inputs, result);
  for (std::size_t i = 0; i < states.size(); ++i) {
    const auto name = "expected.grad." + state_names[i];
    if (c.has(name)) result.values(name, states[i].grad());
  }
  for (const auto& name : c.under("weight.")) {
    const auto p = find_weight(model.parameters(), name);
    if (c.has("expected.grad." + name)) result.values("expected.grad." + name, p.grad());
    if (c.has("expected.weight." + name)) result.values("expected.weight." + name, p.value());
  }
}

void run_raises(const Case& c, Comparison& result) {
  const auto inputs = inputs_of(c);
  Sequential model = make(c, specs_of(inputs, false));
  const auto refused = [&](std::string_view when, auto&& f) {
    try {
      f();
      result.wrong(fmt::format("{} raised nothing, expected the mask error", when));
    } catch (const MaskError& error) {
      for (const auto& word : c.message_has) {
        if (std::string_view(error.what()).find(word) != std::string_view::npos) continue;
        result.wrong(fmt::format("{} raised a text without '{}': {}", when, word, error.what()));
      }
    }
  };
  Tensors given;
  for (const auto& input : inputs) given.push_back(input.x);
  refused("the call", [&] { call(model, given); });
  refused("building it without data", [&] { make(c, specs_of(inputs, true)); });
}

}  // namespace maskgrad::conformance
