#include <doctest/doctest.h>

#include <cmath>

#include <maskgrad/maskgrad.hpp>

#include "layers/metric_values.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_metrics {
namespace {

TEST_CASE("the mean of values and of numbers") {
  Mean mean;
  mean.update(tensor({1., nan, 3.}, {3}).with_mask(Mask::keep({true, false, true}, {3})));
  CHECK(mean.value() == 2);
  mean.update(8.5);
  mean.update(2, 3);
  CHECK(mean.value() == about(18.5 / 6));
  mean.update(nan, 0);
  CHECK(mean.count() == 6);
  CHECK(throws<OptionError>([&] { mean.update(1, -1); }, "Mean", "the weight is -1"));
}

TEST_CASE("of nothing there is no value, and reset goes back to it") {
  BinaryAccuracy accuracy;
  CHECK(accuracy.result().has_mask());
  CHECK(accuracy.result().str().find("--") != std::string::npos);
  CHECK(throws<StateError>([&] { accuracy.value(); }, "BinaryAccuracy", "nothing was counted",
                           "count()"));
  accuracy.update(column({1}), column({0.9}), tensor({0.}, {1}));
  CHECK(throws<StateError>([&] { accuracy.value(); }, "a weight above 0"));
  accuracy.update(column({1}), column({0.9}));
  CHECK(accuracy.value() == 1);
  accuracy.reset();
  CHECK(accuracy.count() == 0);
  CHECK(throws<StateError>([&] { accuracy.value(); }, "nothing was counted"));
}

TEST_CASE("metrics merge with their like alone, also with themselves") {
  Recall one, other{{.thresholds = 0.3}};
  CHECK(throws<OptionError>([&] { one.merge(other); }, "Recall", "its options"));
  CHECK(throws<OptionError>([&] { one.merge(Precision()); }, "merge with Precision"));
  one.update(column({1, 1}), column({0, 1}));
  one.merge(one);
  CHECK(one.count() == 4);
  CHECK(one.value() == 0.5);
  F1Score three, two;
  three.update(ones({1, 3}), ones({1, 3}));
  two.update(ones({1, 2}), ones({1, 2}));
  CHECK(throws<ShapeError>([&] { three.merge(two); }, "F1Score", "another number of classes"));
  CHECK(throws<ShapeError>([&] { three.update(ones({1, 2}), ones({1, 2})); }, "F1Score"));
  CHECK(three.count() == 1);
}

TEST_CASE("metrics refuse what does not fit, and count none of it") {
  SparseCategoricalAccuracy accuracy;
  const Tensor scores = zeros({2, 3});
  CHECK(throws<IndexError>(
      [&] {
        accuracy.update(ids_of({0, 3}), scores);
      },
      "y_true[1]", "is 3", "3 classes"));
  CHECK(throws<ShapeError>([&] { accuracy.update(ids_of({0}), scores); }, "i64[1]", "f32[2, 3]"));
  CHECK(throws<TypeError>([&] { accuracy.update(scores, scores); }, "ids"));
  const Tensor full = scores.with_mask(Mask::keep({{true, true, false}, {true, true, true}}));
  CHECK(throws<MaskError>([&] { accuracy.update(ids_of({0, 1}), full); }, "whole positions"));
  CHECK(throws<MaskError>([&] { Precision({.top_k = 1}).update(scores, full); }, "Precision"));
  CHECK(throws<ShapeError>(
      [&] {
        accuracy.update(ids_of({0, 1}), scores, ones({3}));
      },
      "weights f32[3]"));
  CHECK(throws<StateError>(
      [&] {
        accuracy.update(ids_of({0, 1}), Spec::f32({2, 3}).meta());
      },
      "no data"));
  CHECK(accuracy.count() == 0);
  CHECK(throws<IndexError>([&] { Recall().update(full + 2, full); }, "y_true[0, 0]", "is 2",
                           "0 and 1"));
  CHECK(throws<IndexError>([&] { Recall({.class_id = 3}).update(scores, scores); },
                           ".class_id is 3", "below 3"));
  CHECK(throws<OptionError>([&] { AUC().update(scores, scores + 2); }, "is 2", "from_logits"));
  CHECK(throws<ShapeError>(
      [&] { AUC({.multi_label = true, .num_labels = 2}).update(scores, scores); }, "3 labels"));
  CHECK(throws<ShapeError>(
      [&] {
        ConfusionMatrix({.num_classes = 2}).update(ids_of({0, 1}), scores);
      },
      "scores of 2 classes"));
  CHECK(throws<ShapeError>(
      [&] {
        ConfusionMatrix({.num_classes = 2}).update(ids_of({0}), ids_of({0, 1}));
      },
      "i64[2]"));
  CHECK(throws<IndexError>(
      [&] { ConfusionMatrix({.num_classes = 2}).update(ids_of({0}), ids_of({2})); }, "y_pred[0]"));
  CHECK(throws<ShapeError>(
      [&] {
        EditDistance().update(letters({"a"}), letters({"a", "b"}));
      },
      "the same batch"));
  CHECK(throws<ShapeError>([&] { EditDistance().update(ids_of({0}), ids_of({0})); },
                           "[batch, time]"));
}

TEST_CASE("metrics refuse options out of range") {
  const auto inf = std::numeric_limits<double>::infinity();
  CHECK(throws<OptionError>([&] { BinaryAccuracy({.threshold = nan}); }, ".threshold is nan"));
  CHECK(throws<OptionError>([] { TopKCategoricalAccuracy({.k = 0}); }, ".k is 0", "1 or more"));
  CHECK(throws<OptionError>([] { SparseTopKCategoricalAccuracy({.k = -1}); }, ".k is -1"));
  CHECK(throws<OptionError>([&] { Recall({.thresholds = {0.5, inf}}); }, ".thresholds is inf"));
  CHECK(throws<OptionError>([] { Recall({.top_k = 0}); }, ".top_k is 0"));
  CHECK(throws<OptionError>([] { Recall({.class_id = -1}); }, ".class_id is -1"));
  CHECK(throws<OptionError>([] { F1Score({.average = "makro"}); }, "'makro'", "'macro'"));
  CHECK(throws<OptionError>([] { AUC({.num_thresholds = 1}); }, ".num_thresholds is 1"));
  CHECK(throws<OptionError>([] { AUC({.curve = "RUC"}); }, ".curve is 'RUC'", "'ROC'"));
  CHECK(throws<OptionError>([] { AUC({.summation_method = "major"}); }, "'major'", "majoring"));
  CHECK(throws<OptionError>([] { AUC({.thresholds = 1.5}); }, "a threshold is 1.5"));
  CHECK(throws<OptionError>([] { AUC({.label_weights = {1, 2}}); }, "multi_label"));
  CHECK(throws<OptionError>([] { ConfusionMatrix({.num_classes = 0}); }, ".num_classes is 0"));
  CHECK(throws<OptionError>([] { R2Score({.num_regressors = -1}); }, ".num_regressors is -1"));
  CHECK(throws<OptionError>([] { R2Score({.class_aggregation = "mean"}); }, "'mean'",
                            "uniform_average"));
}

TEST_CASE("the factory makes every metric, and reads back what it describes") {
  CHECK(throws<OptionError>([] { make_metric("BinaryAcuracy"); }, "no metric 'BinaryAcuracy'",
                            "'BinaryAccuracy'"));
  CHECK(throws<OptionError>([] { make_metric("Recall", R"({"treshold": 1})"); }, "'treshold'",
                            "'thresholds'"));
  CHECK(throws<OptionError>([] { make_metric("Recall", R"({"thresholds": "high"})"); },
                            "thresholds", "a number, or an array of numbers"));
  CHECK(throws<OptionError>([] { make_metric("ConfusionMatrix"); }, ".num_classes is missing"));
  CHECK(throws<OptionError>([] { make_metric("MeanSquaredError", R"({"k": 1})"); }, "'k'"));
  for (const auto name : metric_names()) {
    const bool needs = name == "ConfusionMatrix";
    const auto metric = make_metric(name, needs ? R"({"num_classes": 3})" : "{}");
    CHECK(metric->kind() == name);
    CHECK(describe(*metric_from(describe(*metric))) == describe(*metric));
  }
  const AUC auc{{.thresholds = {0.2, 0.4}, .multi_label = true, .label_weights = 2}};
  const auto text = describe(*metric_from(describe(auc)));
  CHECK(text == describe(auc));
  CHECK(text.find(R"("thresholds":[0.2,0.4])") != std::string::npos);
  CHECK(text.find(R"("label_weights":2.0)") != std::string::npos);
}

}  // namespace
}  // namespace maskgrad::tests::test_metrics
