#include "layers/loss_cases.hpp"

#include <maskgrad/layers/losses/loss_factory.hpp>

namespace maskgrad::tests {
namespace in_loss_cases {

struct LossRow {
  std::string name, options;  // of the factory, without the reduction
  CaseInput target, prediction;
  bool over_features = true;      // false: a mask over features is refused
  bool masks_of_its_own = false;  // positions carry a mask where the inputs carry none
};

const CaseInput normal{.shape = {3}}, unit{.shape = {3}, .draw = Draw::unit},
    positive{.shape = {3}, .draw = Draw::positive},
    signs{.shape = {3}, .draw = Draw::away_from_zero}, ids{.shape = {}, .draw = Draw::ids},
    logits{.shape = {5}}, shares{.shape = {5}, .draw = Draw::unit},
    truths{.shape = {3}, .draw = Draw::truth},
    labels{.shape = {2}, .kind = InputKind::samples, .draw = Draw::ids};

std::vector<LossRow> loss_rows() {
  return {
      {"MeanSquaredError", "", normal, normal},
      {"MeanAbsoluteError", "", normal, normal},
      {"MeanAbsolutePercentageError", "", positive, normal},
      {"MeanSquaredLogarithmicError", "", positive, positive},
      {"Huber", "", normal, normal},
      {"Huber", "\"delta\": 0.3", normal, normal},
      {"LogCosh", "", normal, normal},
      {"CosineSimilarity", "", normal, normal, false},
      {"BinaryCrossentropy", "", unit, normal},
      {"BinaryCrossentropy", "\"label_smoothing\": 0.2", truths, normal},
      {"BinaryCrossentropy", "\"from_logits\": false", unit, unit},
      {"BinaryCrossentropy", "\"from_logits\": false, \"label_smoothing\": 0.1", truths, unit},
      {"BinaryFocalCrossentropy", "", unit, normal},
      {"BinaryFocalCrossentropy", "\"from_logits\": false, \"apply_class_balancing\": true", unit,
       unit},
      {"BinaryFocalCrossentropy", "\"gamma\": 0.5, \"label_smoothing\": 0.1", unit, normal},
      {"CategoricalCrossentropy", "", shares, logits, false},
      {"CategoricalCrossentropy", "\"label_smoothing\": 0.2", shares, logits, false},
      {"CategoricalCrossentropy", "\"from_logits\": false", shares, shares, false},
      {"CategoricalCrossentropy", "\"from_logits\": false, \"label_smoothing\": 0.1", shares,
       shares, false},
      {"CategoricalFocalCrossentropy", "", shares, logits, false},
      {"CategoricalFocalCrossentropy", "\"from_logits\": false, \"gamma\": 1", shares, shares,
       false},
      {"CategoricalFocalCrossentropy", "\"label_smoothing\": 0.2", shares, logits, false},
      {"SparseCategoricalCrossentropy", "", ids, logits, false},
      {"SparseCategoricalCrossentropy", "\"from_logits\": false", ids, shares, false},
      {"SparseCategoricalCrossentropy", "\"ignore_class\": 2", ids, logits, false, true},
      {"KLDivergence", "", shares, shares, false},
      {"Poisson", "", positive, positive},
      {"Hinge", "", signs, normal},
      {"SquaredHinge", "", signs, normal},
      {"CategoricalHinge", "", shares, logits, false},
      {"CTC", "\"blank_index\": 5, \"skip_infeasible\": true", labels, {.shape = {6}}, false},
  };
}

/// The loss of a row under a reduction; the target dense, with garbage in its padding, or masked.
OpCase case_of(const LossRow& row, Reduction reduction, InputKind target) {
  const auto options = "{" + row.options + (row.options.empty() ? "" : ", ") + "\"reduction\": \"" +
                       std::string(name(reduction)) + "\"}";
  const auto loss = make_loss_function(row.name, options);
  const bool none = reduction == Reduction::none;
  OpCase c{.op = row.name,
           .variant = options,
           .f = [=](const Tensors& x) -> Tensors {
             const Loss l = loss(x[0], x[1]);
             if (none) return {l.positions()};
             return sum_and_count(l);
           },
           .inputs = {row.target, row.prediction},
           .contract = {.role = none ? MaskRole::propagates : MaskRole::consumes,
                        .why = "a loss of its positions"}};
  const bool whole = row.target.kind == InputKind::samples;  // a sequence is one position
  if (!whole) c.inputs[0].kind = target;
  if (whole && none) c.contract.role = MaskRole::consumes;
  if (whole && none) c.contract.sample_role = MaskRole::supports;
  if (!row.over_features) c.contract.full_role = MaskRole::unsupported;
  c.laws.batch_axis = none ? 0 : -1;
  return c;
}

}  // namespace in_loss_cases

Tensors sum_and_count(const Loss& loss) {
  using namespace in_loss_cases;
  const auto& term = loss.terms().front();
  return {term.sum, scalar(term.count, DType::f64)};
}

std::vector<OpCase> loss_cases() {
  using namespace in_loss_cases;
  std::vector<OpCase> cases = weighted_loss_cases();
  for (const auto& row : loss_rows()) {
    if (!row.masks_of_its_own) cases.push_back(case_of(row, Reduction::none, InputKind::covered));
    cases.push_back(case_of(row, Reduction::sum, InputKind::sequences));
    cases.push_back(case_of(row, Reduction::per_sequence, InputKind::covered));
  }
  return cases;
}

}  // namespace maskgrad::tests
