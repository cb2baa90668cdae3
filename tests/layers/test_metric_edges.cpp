#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/checking.hpp>
#include <maskgrad/maskgrad.hpp>

#include "layers/metric_cases.hpp"
#include "layers/metric_values.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_metric_edges {
namespace {

using Values = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();

Values values(const Tensor& x) {
  return cast(x.value(), DType::f64).to_vector<double>();
}
bool any_nan(const Tensor& x) {
  const Values all = values(x);
  return std::any_of(all.begin(), all.end(), [](double v) { return std::isnan(v); });
}

/// x with what belongs to weights of 0 replaced.
Tensor spoiled(const Tensor& x, const Values& weights, double bad) {
  const auto wide = static_cast<std::size_t>(x.shape().count()) / weights.size();
  const auto odd = [&](std::size_t i) { return weights[i / wide] == 0; };
  if (x.dtype() == DType::i64) {
    auto all = x.to_vector<std::int64_t>();
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = odd(i) ? 99 : all[i];
    return tensor(all, x.shape());
  }
  Values all = values(x);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = odd(i) ? bad : all[i];
  return tensor(all, x.shape());
}

Tensor result_of(const MetricCase& c, const Tensor& t, const Tensor& p,
                 const Tensor& weights = {}) {
  const auto metric = make_metric(c.name, c.options);
  metric->update(t, p, weights);
  return metric->result();
}

TEST_SUITE("laws") {
  TEST_CASE("what has the weight 0 reaches no bit of any metric") {
    for (const auto& c : metric_cases()) {
      const Tensor t = draw(c.target, 1), p = draw(c.prediction, 2);
      const Tensor w = cast(draw({.shape = {},
                                  .kind = c.whole ? InputKind::samples : InputKind::covered,
                                  .draw = Draw::ids},
                                 12),
                            DType::f64);
      const Values weights = values(w);
      REQUIRE(std::find(weights.begin(), weights.end(), 0) != weights.end());
      const Tensor right = result_of(c, t, p, w);
      for (const double bad : {nan, infinity, -infinity}) {
        const Tensor odd = t.dtype() == DType::boolean ? cast(t, DType::f64) : t;
        const Tensor other = result_of(c, spoiled(odd, weights, bad), spoiled(p, weights, bad), w);
        CHECK_MESSAGE(checking::identical(right, other), c.title(), " with ", bad);
        CHECK(!any_nan(other));
      }
    }
  }
  TEST_CASE("NaN in what is counted makes every metric NaN, wherever it stands") {
    for (const auto& c : metric_cases()) {
      if (c.prediction.draw == Draw::ids) continue;
      const bool one_class = c.options.find("class_id") != std::string::npos &&
                             c.options.find("top_k") == std::string::npos;
      const bool token = c.options.find("mask_token_id\": 2") != std::string::npos;
      const Tensor t = draw(c.target, 1), p = draw(c.prediction, 2);
      const Tensor right = result_of(c, t, p);
      for (std::size_t i = 0; i < values(p).size(); ++i) {
        Values all = values(p);
        all[i] = nan;
        const Tensor odd = result_of(c, t, tensor(all, p.shape()));
        // Other classes than the one, and tokens that do not count, are not read.
        const bool as_it_is = (one_class && i % 3 != 1) || (token && values(t)[i / 5] == 2);
        CHECK_MESSAGE((as_it_is ? checking::identical(odd, right) : any_nan(odd)), c.title(),
                      " at ", i);
      }
    }
  }
}

TEST_CASE("an output that is the same for all classes is right in none") {
  const Tensor ids = ids_of({0, 1, 2, 0}), ones_of = one_hot(ids, 3, DType::f64);
  for (const double score : {0., 0.5, -2., 1e-20}) {
    const Tensor same = full({4, 3}, score, DType::f64);
    CHECK(once(Accuracy(), ids, same) == 0);
    CHECK(once(SparseCategoricalAccuracy(), ids, same) == 0);
    CHECK(once(CategoricalAccuracy(), ones_of, same) == 0);
    for (const std::int64_t k : {1, 2, 5}) {
      CHECK(once(SparseTopKCategoricalAccuracy{{.k = k}}, ids, same) == 0);
      CHECK(once(TopKCategoricalAccuracy{{.k = k}}, ones_of, same) == 0);
    }
    CHECK(once(Recall{{.top_k = 2}}, ones_of, same) == 0);
    CHECK(once(F1Score{{.average = "macro"}}, ids, same) == 0);
    ConfusionMatrix matrix{{.num_classes = 3}};
    matrix.update(ids, same);
    CHECK(matrix.result().to_vector<double>() == Values(9));
    CHECK(matrix.count() == 4);
    CHECK(once(AUC{{.exact = true}}, ids, same) == about(0.5));
  }
  // The smallest differences count.
  CHECK(once(F1Score{{.average = "micro"}}, ids_of({1}), tensor({0., 1e-300, -1.}, {1, 3})) == 1);
}

TEST_CASE("precision, recall, F1 and AUC take ids of classes, as losses do") {
  const Tensor ids = tensor<std::int64_t>({0, 2, 1, 99, 1, 1}, {2, 3});
  const Mask mask = Mask::keep({{true, true, true}, {false, true, true}});
  const Tensor p = softmax(random_normal({2, 3, 3}, Seed{1}, DType::f64)).with_mask(mask);
  const Tensor labels = one_hot(ids.with_mask(mask), 3, DType::f64);
  for (const auto& [name, options] : std::vector<std::pair<std::string, std::string>>{
           {"Precision", "{}"},
           {"Precision", R"({"top_k": 1})"},
           {"Recall", R"({"class_id": 1, "thresholds": 0.3})"},
           {"F1Score", R"({"average": "macro"})"},
           {"AUC", "{}"},
           {"AUC", R"({"exact": true, "multi_label": true, "curve": "PR"})"}}) {
    const auto a = make_metric(name, options), b = make_metric(name, options);
    a->update(ids, p);
    b->update(labels, p);
    CHECK(a->value() == b->value());
    CHECK(a->count() == b->count());
  }
  CHECK(once(Precision(), ids_of({1, 0}), column({0.9, 0.8})) == 0.5);
  CHECK(throws<IndexError>([&] { F1Score().update(ids, p.drop_mask("all of them")); }, "F1Score",
                           "y_true[1, 0]", "is 99", "3 classes"));
}

TEST_CASE("\"accuracy\" is the one that the shapes ask for") {
  const auto accuracy = [](const Tensor& t, const Tensor& p) {
    const auto metric = metric_from(describe(*make_metric("accuracy")));
    metric->update(t, p);
    return metric->value();
  };
  const Tensor scores = tensor({0.1, 0.9, 0.8, 0.2}, {2, 2});
  CHECK(accuracy(ids_of({1, 1}), scores) == 0.5);
  CHECK(accuracy(tensor({0., 1., 1., 0.}, {2, 2}), scores) == 1);
  CHECK(accuracy(column({1, 1}), column({0.6, 0.4})) == 0.5);
  CHECK(accuracy(ids_of({1, 1}), column({0.6, 0.4})) == 0.5);
  CHECK(accuracy(tensor<bool>({true, false}, {2, 1}), column({0.6, 0.4})) == 1);
  CHECK(std::isnan(accuracy(ids_of({1, 1}), tensor({0.1, 0.9, nan, 0.2}, {2, 2}))));
  CHECK(make_metric("accuracy")->kind() == "accuracy");
}

TEST_CASE("edit distance takes scores, and reads those that CTC trains") {
  const Tensor truth = letters({"ab"}) - 97;  // 0 1
  // The path 0 0 2 0 1 reads as it is 0 0 2 0 1, and with the blank 2: 0 0 1.
  const Tensor path = tensor<std::int64_t>({0, 0, 2, 0, 1}, {1, 5});
  const Tensor scores = one_hot(path, 3, DType::f32);
  CHECK(once(EditDistance(), truth, scores) == once(EditDistance(), truth, path));
  CHECK(once(EditDistance{{.blank_index = 2}}, truth, scores) == 0.5);
  CHECK(once(EditDistance{{.blank_index = 2}}, truth, path) == 0.5);
  const Mask steps = Mask::keep({{false, true, true, false, true}});
  CHECK(once(EditDistance{{.blank_index = 2}}, truth, scores.with_mask(steps)) == 0);
  CHECK(std::isnan(once(EditDistance(), truth, scores * tensor<float>({1, 1, NAN}, {3}))));
  CHECK(throws<ShapeError>(
      [&] {
        EditDistance().update(truth, zeros({1, 5}));
      },
      "EditDistance", "[batch, time, tokens], scores"));
  const auto made = make_metric("EditDistance", R"({"blank_index": 0})");
  CHECK(describe(*metric_from(describe(*made))) == describe(*made));
}

TEST_CASE("the exact area under a curve, of any scores, in any parts") {
  const Tensor p =
      random_normal({80, 1}, Seed{1}, DType::f64) * 1e-9;  // in one bucket of any thresholds
  const Tensor t =
      cast(greater(p + 1e-9 * random_normal({80, 1}, Seed{2}, DType::f64), full({}, 0, DType::f64)),
           DType::f64);
  const Tensor w = random_uniform({80}, Seed{3}, 0.5, 2, DType::f64);
  double pairs = 0, right = 0;
  for (std::int64_t i = 0; i < 80; ++i) {
    for (std::int64_t k = 0; k < 80; ++k) {
      if (t.item({i, 0}) != 1 || t.item({k, 0}) != 0) continue;
      const double pair = w.item({i}) * w.item({k});
      pairs += pair;
      right += pair * (p.item({i, 0}) > p.item({k, 0}));
    }
  }
  const AUCOptions options{.exact = true};
  AUC whole(options), first(options), second(options);
  whole.update(t, p, w);
  CHECK(whole.value() == about(right / pairs));
  first.update(slice(t, 0, 0, 30), slice(p, 0, 0, 30), slice(w, 0, 0, 30));
  second.update(slice(t, 0, 30, 80), slice(p, 0, 30, 80), slice(w, 0, 30, 80));
  second.merge(first);
  CHECK(second.value() == about(right / pairs));
  AUC again(options);
  again.set_counted(second.counted());
  CHECK(again.value() == second.value());
  // Equal scores are half right, and do not grow what is kept.
  AUC tied(options);
  for (int i = 0; i < 5; ++i) tied.update(column({1, 0, 1}), column({3, 3, 5}));
  CHECK(tied.value() == about(0.75));
  CHECK(tied.counted().size() == 3 + 3 * 3);
  // What comes is put in order when it is as much as what is, not with each batch.
  AUC apart(options);
  for (int i = 0; i < 40; ++i) apart.update(column({1, 0}), column({i + 0.5, -i - 0.25}));
  CHECK(apart.counted().size() == 3 + 3 * 80);
  CHECK(apart.counted()[2] == 64);
  CHECK(apart.value() == about(1));
  apart.update(column({1}), column({nan}));
  CHECK(std::isnan(apart.value()));
  // scikit-learn's documentation of roc_auc_score and average_precision_score.
  const Tensor truth = column({0, 0, 1, 1}), scores = column({0.1, 0.4, 0.35, 0.8});
  CHECK(once(AUC{{.exact = true}}, truth, scores) == about(0.75));
  CHECK(once(AUC{{.curve = "PR", .summation_method = "majoring", .exact = true}}, truth, scores) ==
        about(0.5 + 0.5 * 2 / 3));
  CHECK(once(AUC(), truth, scores * 1e-4) == about(0.5));  // thresholds cannot tell these apart
  AUC other(options);
  other.update(truth, scores);
  CHECK(throws<OptionError>([&] { other.merge(AUC()); }, "AUC", "its options"));
  for (const Values& bad : {Values{1, 1}, Values{1, 1e18, 0}, Values{1, nan, 0}, Values{1, 1, 0, 1},
                            Values{1, 1, 0, 2, 0.5, 1}, Values{1, 1, 0, 0, 0.5, -1}}) {
    CHECK(throws<OptionError>([&] { other.set_counted(bad); }, "AUC", "what counted() gave"));
  }
}

TEST_CASE("macro F1 leaves out absent classes on request") {
  const Tensor ids = ids_of({0, 1, 1}), p = one_hot(ids_of({0, 1, 0}), 4, DType::f64);
  const double zero = 2. / 3, one = 2. / 3;
  CHECK(once(F1Score{{.average = "macro"}}, ids, p) == about((zero + one) / 4));
  CHECK(once(F1Score{{.average = "macro", .ignore_absent = true}}, ids, p) ==
        about((zero + one) / 2));
}

TEST_CASE("errors of f32 are those of f64: their squares and sums have room") {
  const Tensor far = tensor<float>({3e38F, -3e38F}, {2, 1}),
               near = tensor<float>({-3e38F, 3e38F}, {2, 1});
  const double exact = 2 * static_cast<double>(3e38F);
  CHECK(once(MeanAbsoluteError(), near, far) == about(exact));
  CHECK(once(RootMeanSquaredError(), near, far) == about(exact));
  CHECK(once(MeanSquaredError(), near, far) == about(exact * exact));
  const Tensor small = tensor<float>({1e-30F}, {1, 1});
  CHECK(once(RootMeanSquaredError(), zeros({1, 1}), small) == static_cast<double>(1e-30F));
  CHECK(std::isnan(once(R2Score(), tensor({1., 1.}, {2, 1}), tensor({1., nan}, {2, 1}))));
}

}  // namespace
}  // namespace maskgrad::tests::test_metric_edges
