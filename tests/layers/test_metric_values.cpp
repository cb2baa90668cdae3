#include <doctest/doctest.h>

#include <cmath>

#include <maskgrad/maskgrad.hpp>

#include "layers/metric_values.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_metric_values {
namespace {

TEST_CASE("accuracies count valid positions alone, by their weights") {
  const Mask two = Mask::keep({true, true, false}, {3});
  const Tensor scores = tensor({1., 0., 0., 1., nan, nan}, {3, 2});
  SparseCategoricalAccuracy accuracy;
  accuracy.update(ids_of({0, 0, 99}), scores.with_mask(two));
  CHECK(accuracy.count() == 2);
  CHECK(accuracy.value() == 0.5);
  CHECK(accuracy.result().shape() == Shape{});
  CHECK(once(SparseCategoricalAccuracy(), ids_of({0, 0, 99}), scores.with_mask(two),
             tensor({3., 1., nan}, {3})) == 0.75);
  CHECK(once(CategoricalAccuracy(), tensor({0.9, 0.1, 0.2, 0.8, nan, 1.}, {3, 2}),
             scores.with_mask(two)) == 1);
  // Each value is right or not; a threshold is not reached by itself.
  const Tensor truth = tensor<bool>({true, false, true, true}, {2, 2});
  const Tensor p = tensor({0.6, 0.5, 0.5, 0.2}, {2, 2});
  CHECK(once(BinaryAccuracy(), truth, p) == 0.5);
  CHECK(once(BinaryAccuracy{{.threshold = 0.4}}, truth, p) == 0.5);
  CHECK(once(BinaryAccuracy{{.threshold = 0.1}}, truth, p, tensor({1., 3.}, {2})) == 0.875);
}

TEST_CASE("the top k are those with fewer than k greater scores") {
  const Tensor p = tensor({0.1, 0.4, 0.4, 0.1, 0.3, 0.2, 0.1, 0.5, 0.9}, {3, 3});
  const Tensor ids = ids_of({2, 1, 0});
  CHECK(once(SparseTopKCategoricalAccuracy{{.k = 1}}, ids, p) == about(2. / 3));
  CHECK(once(SparseTopKCategoricalAccuracy{{.k = 2}}, ids_of({0, 2, 1}), p) == about(2. / 3));
  CHECK(once(SparseTopKCategoricalAccuracy(), ids, p) == 1);
  CHECK(once(TopKCategoricalAccuracy{{.k = 2}}, one_hot(ids_of({0, 2, 1}), 3, DType::f64), p) ==
        about(2. / 3));
}

TEST_CASE("precision and recall, as Keras's documentation has them") {
  const Tensor t = column({0, 1, 1, 1}), p = column({1, 0, 1, 1});
  const Tensor third = tensor({0., 0., 1., 0.}, {4});
  CHECK(once(Precision(), t, p) == about(2. / 3));
  CHECK(once(Precision(), t, p, third) == 1);
  CHECK(once(Recall(), t, p) == about(2. / 3));
  CHECK(once(Recall(), t, p, third) == 1);
  // Nothing predicted, nothing true: 0, as in Keras.
  CHECK(once(Precision(), t, column({0, 0, 0, 0})) == 0);
  CHECK(once(Recall(), column({0, 0, 0, 0}), p) == 0);
}

TEST_CASE("precision and recall at thresholds, in the top k, of a class") {
  const Tensor t = tensor({1., 0., 1., 0., 1., 0., 1., 1., 0.}, {3, 3});
  const Tensor p = tensor({0.9, 0.5, 0.1, 0.3, 0.6, 0.4, 0.2, 0.8, 0.7}, {3, 3});
  Precision at{{.thresholds = {0.25, 0.65}}};
  at.update(t, p);
  CHECK(at.result().to_vector<double>() == std::vector<double>{3. / 7, 2. / 3});
  CHECK(throws<ShapeError>([&] { at.value(); }, "Precision", "f64[2]", "result()"));
  // The top two: 1 0 | 1 0 | 1 0 by position.
  CHECK(once(Precision{{.top_k = 2}}, t, p) == 0.5);
  CHECK(once(Recall{{.top_k = 2}}, t, p) == about(3. / 5));
  CHECK(once(Recall{{.thresholds = 0.65, .top_k = 2}}, t, p) == about(2. / 5));
  CHECK(once(Recall{{.class_id = 1}}, t, p) == 1);
  CHECK(once(Precision{{.top_k = 1, .class_id = 0}}, t, p) == 1);
  // A threshold has the prediction's type: 0.3 is not above 0.3 in f32.
  CHECK(once(Recall{{.thresholds = 0.3}}, tensor<float>({1}, {1}), tensor<float>({0.3F}, {1})) ==
        0);
}

TEST_CASE("F1, as Keras's documentation has it, and its averages") {
  const Tensor t = tensor<std::int64_t>({1, 1, 1, 1, 0, 0, 1, 1, 0}, {3, 3});
  const Tensor p = tensor({0.2, 0.6, 0.7, 0.2, 0.6, 0.6, 0.6, 0.8, 0.0}, {3, 3});
  F1Score each{{.threshold = 0.5}};
  each.update(t, p);
  const auto scores = each.result().to_vector<double>();
  REQUIRE(scores.size() == 3);
  CHECK(scores[0] == about(0.5));
  CHECK(scores[1] == about(0.8));
  CHECK(scores[2] == about(2. / 3));
  CHECK(once(F1Score{{.average = "macro", .threshold = 0.5}}, t, p) == about((1.3 + 2. / 3) / 3));
  CHECK(once(F1Score{{.average = "micro", .threshold = 0.5}}, t, p) == about(2 * 4. / (6 + 6)));
  CHECK(once(F1Score{{.average = "weighted", .threshold = 0.5}}, t, p) ==
        about((3 * 0.5 + 2 * 0.8 + 2. / 3) / 6));
  // Without a threshold a position's greatest, all of them; of zeros none.
  const Tensor q = tensor({0.5, 0.5, 0.1, 0., 0., 0., -3., -2., -5.}, {3, 3});
  CHECK(once(F1Score{{.average = "micro"}}, t, q) == about(2 * 3. / (3 + 6)));
}

TEST_CASE("areas under curves, as Keras's tests have them") {
  const Tensor t = column({0, 0, 1, 1}), p = column({0, 0.5, 0.3, 0.9});
  const Tensor w = tensor({1., 2., 3., 4.}, {4});
  const auto area = [&](std::string curve, std::string method) {
    return once(AUC{{.num_thresholds = 3, .curve = curve, .summation_method = method}}, t, p, w);
  };
  CHECK(once(AUC{{.num_thresholds = 3}}, t, p) == about(0.75));
  CHECK(once(AUC{{.thresholds = 0.5}}, t, p) == about(0.75));
  CHECK(area("ROC", "interpolation") == about((1 + 4. / 7) / 2));
  CHECK(area("ROC", "majoring") == about(1));
  CHECK(area("ROC", "minoring") == about(4. / 7));
  CHECK(area("PR", "majoring") == about(1));
  CHECK(area("PR", "minoring") == about(0.7 * 3 / 7));
  CHECK(area("PR", "interpolation") == about((0.5 * (3 + 2 * std::log(2.5)) + 4) / 7));
  const Tensor logits = log(p / (1 - p));
  CHECK(once(AUC{{.num_thresholds = 3, .from_logits = true}}, t, logits) == about(0.75));
  // Nothing true, nothing false: 0, as in Keras.
  CHECK(once(AUC(), column({0, 0}), column({0.2, 0.7})) == 0);
  CHECK(once(AUC(), column({1, 1}), column({0.2, 0.7})) == 0);
}

TEST_CASE("the area under ROC is exact where thresholds part all predictions") {
  const Tensor p = random_uniform({60, 1}, Seed{1}, 0, 1, DType::f64);
  const Tensor t =
      cast(greater(p + random_normal({60, 1}, Seed{2}, DType::f64), full({}, 0.5, DType::f64)),
           DType::f64);
  double pairs = 0, right = 0;  // a pair is right where the true one has the greater score
  for (std::int64_t i = 0; i < 60; ++i) {
    for (std::int64_t k = 0; k < 60; ++k) {
      if (t.item({i, 0}) != 1 || t.item({k, 0}) != 0) continue;
      ++pairs;
      right += p.item({i, 0}) > p.item({k, 0});
    }
  }
  CHECK(once(AUC{{.num_thresholds = 100'000}}, t, p) == about(right / pairs));
  CHECK(once(AUC{{.num_thresholds = 20}}, t, p) != about(right / pairs));
}

TEST_CASE("the area of labels is the mean of theirs, by their weights") {
  const Tensor t = tensor({0., 0., 1., 1., 1., 1., 1., 0.}, {4, 2});
  const Tensor p = tensor({0., 0.4, 0.5, 0.7, 0.3, 0.2, 0.9, 0.3}, {4, 2});
  const auto own = [&](std::int64_t label) {
    return once(AUC(), slice(t, 1, label, label + 1), slice(p, 1, label, label + 1));
  };
  CHECK(own(0) == 1);
  CHECK(own(1) == about(0.5));
  CHECK(once(AUC{{.multi_label = true}}, t, p) == about(0.75));
  CHECK(once(AUC{{.multi_label = true, .num_labels = 2, .label_weights = {3, 1}}}, t, p) ==
        about(0.875));
  CHECK(once(AUC(), t, p) != about(0.75));
}

TEST_CASE("the confusion matrix: true classes down, predicted ones across") {
  ConfusionMatrix matrix{{.num_classes = 3}};
  CHECK(matrix.result().to_vector<double>() == std::vector<double>(9));
  matrix.update(ids_of({0, 1, 1, 2}), ids_of({0, 2, 1, 0}), tensor({1., 0.5, 2., 1.}, {4}));
  matrix.update(ids_of({2}), tensor({0.1, 0.2, 0.7}, {1, 3}));
  CHECK(matrix.result().to_vector<double>() == std::vector<double>{1, 0, 0, 0, 2, 0.5, 1, 0, 1});
  CHECK(matrix.count() == 5.5);
}

TEST_CASE("mean errors, the root taken of the whole") {
  RootMeanSquaredError root;
  root.update(column({0, 0}), column({1, 3}));
  root.update(column({0}), column({-4}));
  CHECK(root.value() == about(std::sqrt(26. / 3)));
  CHECK(once(MeanSquaredError(), column({0, 0, 0}), column({1, 3, -4})) == about(26. / 3));
  CHECK(once(MeanAbsoluteError(), column({0, 0}), column({1, -3}), tensor({3., 1.}, {2})) ==
        about(1.5));
  // Sums are f64: 1e-3 is not lost in a mean of many f32.
  MeanAbsoluteError error;
  error.update(zeros({1, 1}), full({1, 1}, 1e8));
  for (int i = 0; i < 1000; ++i) error.update(zeros({1, 1}), ones({1, 1}));
  CHECK(error.value() * error.count() == about(1e8 + 1000));
}

double r2(const Tensor& t, const Tensor& p) {
  const double middle = mean(t).item();
  return 1 - sum(square(p - t)).item() / sum(square(t - middle)).item();
}

TEST_CASE("R2 of each feature, aggregated, adjusted, and far from 0") {
  const Tensor t = random_normal({20, 2}, Seed{1}, DType::f64);
  const Tensor p = t + 0.3 * random_normal({20, 2}, Seed{2}, DType::f64);
  const double a = r2(select(t, 1, 0), select(p, 1, 0)), b = r2(select(t, 1, 1), select(p, 1, 1));
  R2Score each{{.class_aggregation = std::nullopt}};
  each.update(t, p);
  CHECK(each.result().item({0}) == about(a));
  CHECK(each.result().item({1}) == about(b));
  CHECK(once(R2Score(), t, p) == about((a + b) / 2));
  const auto spread = [&](std::int64_t f) { return variance(select(t, 1, f)).item(); };
  CHECK(once(R2Score{{.class_aggregation = "variance_weighted_average"}}, t, p) ==
        about((a * spread(0) + b * spread(1)) / (spread(0) + spread(1))));
  CHECK(once(R2Score{{.num_regressors = 3}}, t, p) == about(1 - (1 - (a + b) / 2) * 19 / 16));
  CHECK(once(R2Score{{.num_regressors = 19}}, t, p) == about((a + b) / 2));
  R2Score far;
  for (int i = 0; i < 20; ++i) far.update(1e6 + slice(t, 0, i, i + 1), 1e6 + slice(p, 0, i, i + 1));
  CHECK(far.value() == doctest::Approx((a + b) / 2).epsilon(1e-8));
  CHECK(once(R2Score(), column({2, 2}), column({2, 2})) == 1);
  CHECK(once(R2Score(), column({2, 2}), column({2, 3})) == 0);
}

TEST_CASE("perplexity is exp of the mean over all tokens") {
  const Tensor logits = random_normal({5, 4}, Seed{1}, DType::f64), log_p = log_softmax(logits);
  const Tensor ids = ids_of({0, 3, 1, 0, 2});
  double all = 0, kept = 0;
  for (std::int64_t i = 0; i < 5; ++i) {
    const auto id = static_cast<std::int64_t>(ids.item({i}));
    all -= log_p.item({i, id});
    if (id != 0) kept -= log_p.item({i, id});
  }
  CHECK(once(Perplexity(), ids, logits) == about(std::exp(all / 5)));
  CHECK(once(Perplexity{{.from_logits = false}}, ids, softmax(logits)) == about(std::exp(all / 5)));
  Perplexity some{{.mask_token_id = 0}};
  some.update(slice(ids, 0, 0, 1), slice(logits, 0, 0, 1));  // masked: counts nothing
  CHECK(some.count() == 0);
  some.update(slice(ids, 0, 1, 5), slice(logits, 0, 1, 5));
  CHECK(some.count() == 3);
  CHECK(some.value() == about(std::exp(kept / 3)));
}

/// Words as ids in one masked tensor.
TEST_CASE("edit distances of sequences by their valid steps") {
  const auto distance = [](std::string a, std::string b) {
    return once(EditDistance{{.normalize = false}}, letters({a}), letters({b}));
  };
  CHECK(distance("kitten", "sitting") == 3);
  CHECK(distance("flaw", "lawn") == 2);
  CHECK(distance("abc", "") == 3);
  CHECK(distance("", "ab") == 2);
  CHECK(distance("same", "same") == 0);
  CHECK(once(EditDistance(), letters({"kitten", "a"}), letters({"sitting", "b"})) == about(4. / 7));
  CHECK(once(EditDistance{{.normalize = false}}, letters({"kitten", "a"}),
             letters({"sitting", "b"}), tensor({1., 3.}, {2})) == about(6. / 4));
  // Through holes and garbage; what has no step in either is no sequence.
  const Tensor t = tensor<std::int64_t>({1, 99, 2, 3, 99, 99, 99, 99}, {2, 4});
  const Tensor p = tensor<std::int64_t>({77, 1, 2, 77, 77, 77}, {2, 3});
  EditDistance mean{{.normalize = false}};
  mean.update(t.with_mask(Mask::keep({{true, false, true, true}, {false, false, false, false}})),
              p.with_mask(Mask::keep({{false, true, true}, {false, false, false}})));
  CHECK(mean.value() == 1);
  CHECK(mean.count() == 1);
  // A mask [batch] on either hides the sequence.
  EditDistance second;
  second.update(t, p.with_mask(Mask::keep({false, true}, {2})));
  CHECK(second.value() == 1);
  CHECK(second.count() == 4);
}

}  // namespace
}  // namespace maskgrad::tests::test_metric_values
