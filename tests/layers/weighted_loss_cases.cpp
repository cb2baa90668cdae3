#include <maskgrad/layers/losses/losses.hpp>

#include "layers/loss_cases.hpp"

namespace maskgrad::tests {
namespace in_weighted_loss_cases {

using Run = std::function<Loss(const Tensors& inputs, Reduction reduction)>;

/// A loss of a target, a prediction and sample weights.
template <class Options, auto loss>
Loss weighted(const Tensors& x, Reduction reduction) {
  Options options{};
  options.reduction = reduction;
  options.sample_weight = x[2];
  if constexpr (requires { options.skip_infeasible; }) {
    options.skip_infeasible = true;
    options.blank_index = 5;
  }
  return loss(x[0], x[1], options);
}

const CaseInput normal{.shape = {3}}, unit{.shape = {3}, .draw = Draw::unit},
    positive{.shape = {3}, .draw = Draw::positive},
    signs{.shape = {3}, .draw = Draw::away_from_zero}, logits{.shape = {5}},
    shares{.shape = {5}, .draw = Draw::unit}, one{.shape = {1}},
    truth{.shape = {1}, .draw = Draw::truth}, wide{.shape = {6}},
    ranked{.shape = {5}, .draw = Draw::distinct};
const CaseInput ids{.shape = {}, .kind = InputKind::covered, .draw = Draw::ids},
    labels{.shape = {2}, .kind = InputKind::samples, .draw = Draw::ids};
// Weights have no gradient: whole numbers, of which some are 0.
const CaseInput of_steps{.shape = {}, .kind = InputKind::covered, .draw = Draw::ids},
    of_sequences{.shape = {}, .kind = InputKind::samples, .draw = Draw::ids},
    transitions{.shape = {5, 5}, .kind = InputKind::shared};

struct WeightedRow {
  std::string name;
  Run run;
  CaseInput target, prediction;
  bool over_features = true;  // false: a mask over features is refused
  bool whole = false;         // a sequence is one position
};

std::vector<WeightedRow> sample_weighted() {
  using Plain = LossOptions;
  using Cross = CrossentropyOptions;
  return {
      {"MeanSquaredError", weighted<Plain, mean_squared_error>, normal, normal},
      {"MeanAbsoluteError", weighted<Plain, mean_absolute_error>, normal, normal},
      {"MeanAbsolutePercentageError", weighted<Plain, mean_absolute_percentage_error>, positive,
       normal},
      {"MeanSquaredLogarithmicError", weighted<Plain, mean_squared_logarithmic_error>, positive,
       positive},
      {"Huber", weighted<HuberOptions, huber>, normal, normal},
      {"LogCosh", weighted<Plain, log_cosh>, normal, normal},
      {"CosineSimilarity", weighted<Plain, cosine_similarity>, normal, normal, false},
      {"BinaryCrossentropy", weighted<Cross, binary_crossentropy>, unit, normal},
      {"BinaryFocalCrossentropy", weighted<BinaryFocalOptions, binary_focal_crossentropy>, unit,
       normal},
      {"CategoricalCrossentropy", weighted<Cross, categorical_crossentropy>, shares, logits, false},
      {"CategoricalFocalCrossentropy",
       weighted<CategoricalFocalOptions, categorical_focal_crossentropy>, shares, logits, false},
      {"SparseCategoricalCrossentropy",
       weighted<SparseCrossentropyOptions, sparse_categorical_crossentropy>, ids, logits, false},
      {"KLDivergence", weighted<Plain, kl_divergence>, shares, shares, false},
      {"Poisson", weighted<Plain, poisson>, positive, positive},
      {"Hinge", weighted<Plain, hinge>, signs, normal},
      {"SquaredHinge", weighted<Plain, squared_hinge>, signs, normal},
      {"CategoricalHinge", weighted<Plain, categorical_hinge>, shares, logits, false},
      {"CTC", weighted<CTCOptions, ctc>, labels, wide, false, true},
  };
}

std::vector<WeightedRow> class_weighted() {
  const Tensor five = tensor({1., 0.5, 2., 0., 3.}, {5}), two = tensor({0.5, 3.}, {2});
  return {
      {"BinaryCrossentropy",
       [=](const Tensors& x, Reduction reduction) {
         return binary_crossentropy(x[0], x[1],
                                    {.label_smoothing = 0.1,
                                     .reduction = reduction,
                                     .sample_weight = x[2],
                                     .class_weight = two});
       },
       truth, one},
      {"CategoricalCrossentropy",
       [=](const Tensors& x, Reduction reduction) {
         return categorical_crossentropy(x[0], x[1],
                                         {.label_smoothing = 0.1,
                                          .reduction = reduction,
                                          .sample_weight = x[2],
                                          .class_weight = five});
       },
       ranked, logits, false},
      {"SparseCategoricalCrossentropy",
       [=](const Tensors& x, Reduction reduction) {
         return sparse_categorical_crossentropy(x[0], x[1],
                                                {.ignore_class = 2,
                                                 .reduction = reduction,
                                                 .sample_weight = x[2],
                                                 .class_weight = five});
       },
       ids, logits, false},
  };
}

OpCase case_of(const WeightedRow& row, Reduction reduction, const CaseInput& weight,
               std::string_view how) {
  OpCase c{.op = row.name,
           .variant = std::string(name(reduction)) + ", " + std::string(how),
           .f = [run = row.run,
                 reduction](const Tensors& x) { return sum_and_count(run(x, reduction)); },
           .inputs = {row.target, row.prediction, weight},
           .contract = {.role = MaskRole::consumes, .why = "a loss of its positions"}};
  if (!row.over_features) c.contract.full_role = MaskRole::unsupported;
  c.laws.batch_axis = -1;
  c.gradient = reduction != Reduction::mean;  // a product with what has no gradient
  return c;
}

/// The CRF's loss, of tags, potentials, transitions and weights of sequences.
OpCase crf_case(Reduction reduction, bool weights) {
  const bool none = reduction == Reduction::none;
  OpCase c{.op = "crf_loss",
           .variant = std::string(name(reduction)) + (weights ? ", weights" : ""),
           .f = [=](const Tensors& x) -> Tensors {
             const Loss loss =
                 crf_loss(x[0], x[1], x[2],
                          {.reduction = reduction, .sample_weight = weights ? x[3] : Tensor()});
             if (none) return {loss.positions()};
             return sum_and_count(loss);
           },
           .inputs = {ids, logits, transitions},
           .contract = {.role = MaskRole::consumes,
                        .why = "one loss for each sequence",
                        .full_role = MaskRole::unsupported}};
  if (weights) c.inputs.push_back(of_sequences);
  if (none) c.contract.sample_role = MaskRole::supports;
  c.laws.batch_axis = none ? 0 : -1;
  return c;
}

}  // namespace in_weighted_loss_cases

std::vector<OpCase> weighted_loss_cases() {
  using namespace in_weighted_loss_cases;
  std::vector<OpCase> cases;
  for (const auto& row : sample_weighted()) {
    if (!row.whole) cases.push_back(case_of(row, Reduction::mean, of_steps, "weights of steps"));
    if (!row.whole) {
      cases.push_back(case_of(row, Reduction::per_sequence, of_steps, "weights of steps"));
    }
    cases.push_back(case_of(row, Reduction::per_sequence, of_sequences, "weights of sequences"));
    if (row.whole) cases.push_back(case_of(row, Reduction::mean, of_sequences, "weights"));
  }
  for (const auto& row : class_weighted()) {
    cases.push_back(case_of(row, Reduction::mean, of_sequences, "weights of classes, sequences"));
    cases.push_back(case_of(row, Reduction::per_sequence, of_steps, "weights of classes, steps"));
  }
  for (const auto reduction : {Reduction::none, Reduction::mean, Reduction::per_sequence}) {
    cases.push_back(crf_case(reduction, false));
  }
  cases.push_back(crf_case(Reduction::mean, true));
  return cases;
}

}  // namespace maskgrad::tests
