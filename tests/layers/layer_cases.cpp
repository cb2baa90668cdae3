#include "layers/layer_cases.hpp"

#include <memory>

#include <maskgrad/maskgrad.hpp>

namespace maskgrad::tests {
namespace {

/// A layer with its weights as a row of the table.
class Rows {
 public:
  explicit Rows(DType dtype) : dtype_(dtype) {}

  template <Layer L>
  void add(std::string variant, const L& layer, std::vector<CaseInput> inputs,
           LawOptions laws = {}) {
    auto held = std::make_shared<L>(layer);
    build(*held, specs(inputs), Seed{3});
    *held = clone(*held, dtype_);
    for (const auto& p : parameters(*held)) {
      if (p.trainable()) laws.variables.push_back(variable_of(p));
    }
    rows.push_back({.op = std::string(L::kind),
                    .variant = std::move(variant),
                    .f = [held](const Tensors& xs) { return call(*held, xs); },
                    .inputs = std::move(inputs),
                    .contract = contract_of(*held),
                    .laws = std::move(laws)});
  }

  std::vector<OpCase> rows;

 private:
  static std::vector<Spec> specs(const std::vector<CaseInput>& inputs) {
    std::vector<Spec> all;
    for (const auto& input : inputs) {
      const Shape lead = input.kind == InputKind::samples ? Shape{any} : Shape{any, any};
      all.push_back(input.draw == Draw::ids ? Spec::ids(lead + input.shape)
                                            : Spec::f64(lead + input.shape));
    }
    return all;
  }

  DType dtype_;
};

const CaseInput features{.shape = {3}};
const CaseInput ids{.shape = {}, .draw = Draw::ids};
const CaseInput state{.shape = {3}, .kind = InputKind::samples};
// That a split does not change it is tested in tests/optim, with the parts' noise positions.
const LawOptions by_index{.not_alone = "what is dropped depends on the sequence's index",
                          .not_split = "what is dropped depends on the sequence's index"};

void inside_a_row(Rows& rows) {
  rows.add("", Dense{{.units = 2}}, {features});
  rows.add("no bias, tanh", Dense{{.units = 2, .activation = "tanh", .use_bias = false}},
           {features});
  rows.add("gelu", Activation{{.activation = "gelu"}}, {features});
  rows.add("softmax", Activation{{.activation = "softmax"}}, {features});
  rows.add("", Dropout{{.rate = 0.4}}, {features}, by_index);
}

void makers(Rows& rows) {
  rows.add("", Masking{}, {features});
  rows.add("NaN", Masking{{.mask_value = std::numeric_limits<double>::quiet_NaN()}}, {features});
  rows.add("mask_zero", Embedding{{.input_dim = 5, .output_dim = 3, .mask_zero = true}}, {ids});
  rows.add("", Embedding{{.input_dim = 5, .output_dim = 3}}, {ids});
}

void recurrent_layers(Rows& rows) {
  rows.add("last", GRU{{.units = 3}}, {features});
  rows.add("sequences, state, initial state",
           GRU{{.units = 3, .return_sequences = true, .return_state = true}}, {features, state},
           {.carriers = 1});
  rows.add("reset before, backwards",
           GRU{{.units = 3, .return_sequences = true, .go_backwards = true, .reset_after = false}},
           {features});
  rows.add("no bias, last backwards", GRU{{.units = 3, .use_bias = false, .go_backwards = true}},
           {features});
  rows.add("by steps",
           GRU{{.units = 3,
                .activation = "softsign",
                .recurrent_activation = "sigmoid",
                .return_sequences = true,
                .return_state = true}},
           {features, state}, {.carriers = 1});
  rows.add("by steps, reset before", GRU{{.units = 3, .activation = "silu", .reset_after = false}},
           {features});
  rows.add("dropouts", GRU{{.units = 3, .dropout = 0.3, .recurrent_dropout = 0.3}}, {features},
           by_index);
}

void other_recurrent_layers(Rows& rows) {
  rows.add("sequences, states, initial states",
           LSTM{{.units = 3, .return_sequences = true, .return_state = true}},
           {features, state, state}, {.carriers = 1});
  rows.add("last, backwards, no bias", LSTM{{.units = 3, .use_bias = false, .go_backwards = true}},
           {features});
  rows.add(
      "by steps",
      LSTM{{.units = 3, .activation = "softsign", .return_sequences = true, .return_state = true}},
      {features, state, state}, {.carriers = 1});
  rows.add("sequences, state, initial state",
           SimpleRNN{{.units = 3, .return_sequences = true, .return_state = true}},
           {features, state}, {.carriers = 1});
  rows.add("by steps, last", SimpleRNN{{.units = 3, .activation = "sigmoid"}}, {features});
  for (const std::string mode : {"concat", "sum", "mul", "ave"}) {
    rows.add(mode, Bidirectional{GRU{{.units = 3, .return_sequences = true}}, {.merge_mode = mode}},
             {features});
  }
  rows.add("none",
           Bidirectional{SimpleRNN{{.units = 3, .return_sequences = true}}, {.merge_mode = "none"}},
           {features});
  rows.add("last, states, initial states", Bidirectional{LSTM{{.units = 3, .return_state = true}}},
           {features, state, state, state, state});
}

void across_rows(Rows& rows) {
  rows.add("", GlobalAveragePooling1D{}, {features});
  rows.add("keepdims", GlobalAveragePooling1D{{.keepdims = true}}, {features});
  rows.add("", Conv1D{{.filters = 2, .kernel_size = 3}}, {features});
  rows.add(
      "same, stride 2, dilation 2",
      Conv1D{{.filters = 2, .kernel_size = 2, .strides = 2, .padding = "same", .dilation_rate = 2}},
      {features});
  rows.add("valid", MaskedConv1D{{.filters = 2, .kernel_size = 2}}, {features});
  rows.add("same", MaskedConv1D{{.filters = 2, .kernel_size = 3, .padding = "same"}}, {features});
  rows.add("causal, dilation 2",
           MaskedConv1D{{.filters = 2, .kernel_size = 2, .padding = "causal", .dilation_rate = 2}},
           {features});
  rows.add("same, stride 2",
           MaskedConv1D{{.filters = 2, .kernel_size = 3, .strides = 2, .padding = "same"}},
           {features});
}

}  // namespace

std::vector<OpCase> layer_cases(DType dtype) {
  Rows rows(dtype);
  inside_a_row(rows);
  makers(rows);
  recurrent_layers(rows);
  other_recurrent_layers(rows);
  across_rows(rows);
  return std::move(rows.rows);
}

}  // namespace maskgrad::tests
