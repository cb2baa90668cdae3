#pragma once

#include <algorithm>
#include <memory>

#include <maskgrad/maskgrad.hpp>

#include "layers/layer_cases.hpp"

namespace maskgrad::tests {

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
    layers.push_back({std::string(L::kind) + (variant.empty() ? "" : " (" + variant + ")"),
                      AnyLayer(*held), specs(inputs), reads_sequences(inputs)});
    rows.push_back({.op = std::string(L::kind),
                    .variant = std::move(variant),
                    .f = [held](const Tensors& xs) { return call(*held, xs); },
                    .inputs = std::move(inputs),
                    .contract = contract_of(*held),
                    .laws = std::move(laws)});
  }

  std::vector<OpCase> rows;
  std::vector<LayerRow> layers;

 private:
  static bool reads_sequences(const std::vector<CaseInput>& inputs) {
    return std::all_of(inputs.begin(), inputs.end(),
                       [](const auto& input) { return input.kind == InputKind::sequences; });
  }
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

inline const CaseInput features{.shape = {3}};
inline const CaseInput ids{.shape = {}, .draw = Draw::ids};
inline const CaseInput state{.shape = {3}, .kind = InputKind::samples};
// That a split does not change it is tested in tests/optim, with the parts' noise positions.
inline const LawOptions by_index{.not_alone = "what is dropped depends on the sequence's index",
                                 .not_split = "what is dropped depends on the sequence's index"};

/// A folder of layers/ each, in the file of its name.
void activations_cases(Rows& rows);
void attention_cases(Rows& rows);
void basic_cases(Rows& rows);
void convolution_cases(Rows& rows);
void merging_cases(Rows& rows);
void normalization_cases(Rows& rows);
void losses_cases(Rows& rows);
void pooling_cases(Rows& rows);
void recurrent_cases(Rows& rows);
void regularization_cases(Rows& rows);
void reshaping_cases(Rows& rows);

}  // namespace maskgrad::tests
