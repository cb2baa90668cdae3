#include "layers/metric_cases.hpp"

namespace maskgrad::tests {

std::vector<MetricCase> metric_cases() {
  const CaseInput normal{.shape = {3}}, unit{.shape = {3}, .draw = Draw::unit},
      truths{.shape = {3}, .draw = Draw::truth}, ids{.shape = {}, .draw = Draw::ids},
      logits{.shape = {5}}, shares{.shape = {5}, .draw = Draw::unit},
      labels{.shape = {5}, .draw = Draw::truth};
  return {
      {"BinaryAccuracy", "{}", truths, unit},
      {"BinaryAccuracy", R"({"threshold": 0.3})", truths, unit},
      {"CategoricalAccuracy", "{}", shares, logits, false},
      {"SparseCategoricalAccuracy", "{}", ids, logits, false},
      {"TopKCategoricalAccuracy", R"({"k": 2})", shares, logits, false},
      {"SparseTopKCategoricalAccuracy", R"({"k": 2})", ids, logits, false},
      {"Precision", "{}", truths, unit},
      {"Precision", R"({"thresholds": [0.2, 0.5, 0.7], "class_id": 1})", truths, unit, false},
      {"Precision", R"({"top_k": 2})", labels, logits, false},
      {"Recall", R"({"thresholds": 0.4})", truths, unit},
      {"Recall", R"({"top_k": 2, "class_id": 3})", labels, logits, false},
      {"F1Score", "{}", labels, logits, false},
      {"F1Score", R"({"average": "micro", "threshold": 0.4})", labels, shares, false},
      {"F1Score", R"({"average": "macro"})", labels, logits, false},
      {"F1Score", R"({"average": "weighted"})", labels, logits, false},
      {"AUC", "{}", truths, unit},
      {"AUC", R"({"num_thresholds": 7, "curve": "PR"})", truths, unit},
      {"AUC", R"({"curve": "PR", "summation_method": "majoring", "from_logits": true})", truths,
       normal},
      {"AUC", R"({"thresholds": [0.3, 0.6], "summation_method": "minoring", "multi_label": true})",
       labels, shares, false},
      {"ConfusionMatrix", R"({"num_classes": 5})", ids, logits, false},
      {"ConfusionMatrix", R"({"num_classes": 5})", ids, ids},
      {"MeanAbsoluteError", "{}", normal, normal},
      {"MeanSquaredError", "{}", normal, normal},
      {"RootMeanSquaredError", "{}", normal, normal},
      {"R2Score", "{}", normal, normal, false},
      {"R2Score", R"({"class_aggregation": null, "num_regressors": 1})", normal, normal, false},
      {"R2Score", R"({"class_aggregation": "variance_weighted_average"})", normal, normal, false},
      {"Perplexity", R"({"mask_token_id": 2})", ids, logits, false},
      {"Perplexity", R"({"from_logits": false})", ids, shares, false},
      {"EditDistance", "{}", ids, ids, false, true},
      {"EditDistance", R"({"normalize": false})", ids, ids, false, true},
  };
}

}  // namespace maskgrad::tests
