#include "onnx/models.hpp"

#include <cmath>

#include <maskgrad/core/random.hpp>

#include "layers/layer_cases.hpp"

namespace maskgrad::tests {
namespace in_onnx_models {

// Other weights than those that a build makes: no bias is 0, and statistics have moved.
void stir(const AnyLayer& model) {
  std::uint64_t at = 0;
  for (const auto& p : parameters(model)) {
    std::vector<float> values = p.value().to_vector<float>();
    const bool variance = p.name().ends_with("moving_variance");
    for (float& v : values) {
      const auto more = static_cast<float>(0.6 * random::unit_at({7}, at++) - 0.3);
      v = variance ? 0.7f + std::abs(more) : v + more;
    }
    p.set(tensor(values, p.shape()));
  }
}

Spec as_f32(const Spec& spec) {
  return spec.dtype() == DType::i64 ? Spec::ids(spec.shape()) : Spec::f32(spec.shape());
}

template <Layer M>
OnnxCase of(std::string title, M model, std::vector<Spec> specs, bool padding_is_last = false) {
  build(model, specs, Seed{5});
  return {std::move(title), AnyLayer(std::move(model)), std::move(specs), padding_is_last};
}

const Spec steps = Spec::f32({any, any, 3});
const Spec ids = Spec::ids({any, any});

// The model that the project was born from.
OnnxCase masked_gru(bool padding_is_last) {
  return of(padding_is_last ? "Masking, padding last" : "Masking",
            Sequential{Masking{}, GRU{{.units = 4, .return_sequences = true}}, BatchNormalization{},
                       MaskedConv1D{{.filters = 3, .kernel_size = 3, .padding = "same"}},
                       Activation{{.activation = "tanh"}}, Dense{{.units = 2}}},
            {steps}, padding_is_last);
}

OnnxCase two_inputs() {
  Functional model;
  const auto words = model.input("words"), sounds = model.input("sounds");
  const auto of_words =
      model.add(Embedding{{.input_dim = 5, .output_dim = 3, .mask_zero = true}}, {words});
  const auto encode = model.layer(GRU{{.units = 3, .return_sequences = true}});
  const auto a = model.call(encode, {of_words}), b = model.call(encode, {sounds});
  const auto read = model.add(MultiHeadAttention{{.num_heads = 1, .key_dim = 2}}, {a, b});
  const auto pooled = model.add(GlobalAveragePooling1D{}, {read});
  model.outputs({model.add(Dense{{.units = 2}}, {pooled}), read});
  return of("two inputs, a shared layer", std::move(model), {ids, steps});
}

OnnxCase nested() {
  const Sequential inner{Dense{{.units = 4, .activation = "relu"}}, LayerNormalization{}};
  return of("nested",
            Sequential{inner, Bidirectional{LSTM{{.units = 2, .return_sequences = true}}},
                       TimeDistributed{Dense{{.units = 2}}}, LastStep{}},
            {steps});
}

OnnxCase transformers() {
  return of(
      "transformers, pooling",
      Sequential{TransformerEncoder{{.intermediate_dim = 4, .num_heads = 1}}, MaskedMaxPooling1D{},
                 TransformerEncoder{{.intermediate_dim = 4, .num_heads = 3}}, AttentionPooling1D{},
                 Dense{{.units = 2, .activation = "softmax"}}},
      {steps});
}

OnnxCase activations() {
  Functional model;
  const auto x = model.input("x");
  std::vector<Functional::Node> nodes;
  for (const auto name : activation_names()) {
    nodes.push_back(model.add(Activation{{.activation = std::string(name)}}, {x}));
  }
  model.outputs(nodes);
  return of("all activations", std::move(model), {steps});
}

OnnxCase step_functions() {
  Functional model;
  const auto x = model.input("x");
  std::vector<Functional::Node> nodes;
  for (const char* name :
       {"tanh", "sigmoid", "relu", "hard_sigmoid", "keras2_hard_sigmoid", "softsign", "softplus",
        "elu", "leaky_relu", "linear", "gelu", "selu", "hard_tanh", "swish"}) {
    nodes.push_back(model.add(LSTM{{.units = 2,
                                    .activation = name,
                                    .recurrent_activation = "hard_sigmoid",
                                    .return_sequences = true}},
                              {x}));
    nodes.push_back(
        model.add(GRU{{.units = 2, .activation = name, .recurrent_activation = name}}, {x}));
    nodes.push_back(model.add(SimpleRNN{{.units = 2, .activation = name}}, {x}));
  }
  model.outputs(nodes);
  return of("activations of steps", std::move(model), {steps});
}

void convolutions(std::vector<OnnxCase>& cases) {
  for (const char* padding : {"valid", "same", "causal"}) {
    for (const std::int64_t stride : {1, 2, 3}) {
      for (const std::int64_t dilation : {1, 2}) {
        const std::string title = std::string(padding) + ", strides " + std::to_string(stride) +
                                  ", dilation " + std::to_string(dilation);
        const Conv1DOptions o{.filters = 4,
                              .kernel_size = 3,
                              .strides = stride,
                              .padding = padding,
                              .dilation_rate = dilation};
        cases.push_back(of("MaskedConv1D " + title, Sequential{MaskedConv1D{o}}, {steps}));
        cases.push_back(of("Conv1D " + title, Sequential{Conv1D{o}}, {steps}));
      }
    }
  }
}

}  // namespace in_onnx_models

std::vector<OnnxCase> onnx_cases() {
  using namespace in_onnx_models;
  std::vector<OnnxCase> cases;
  for (auto& row : layer_rows(DType::f32)) {
    std::vector<Spec> specs;
    for (const auto& spec : row.specs) specs.push_back(as_f32(spec));
    cases.push_back({row.title, std::move(row.layer), std::move(specs)});
  }
  for (auto& model : {masked_gru(false), masked_gru(true), two_inputs(), nested(), transformers(),
                      activations(), step_functions()}) {
    cases.push_back(model);
  }
  convolutions(cases);
  for (const auto& c : cases) stir(c.model);
  return cases;
}

}  // namespace maskgrad::tests
