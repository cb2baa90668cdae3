#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_loss_values {
namespace {

const double nan = std::numeric_limits<double>::quiet_NaN();

Tensor row(std::initializer_list<double> values) {
  return tensor(values, {1, static_cast<std::int64_t>(values.size())});
}

doctest::Approx about(double value) {
  return doctest::Approx(value).epsilon(1e-12);
}

TEST_CASE("losses of real targets by hand") {
  const Tensor t = row({1, 2, 4}), p = row({2, 2, 1});
  CHECK(mean_squared_error(t, p).value() == about(10. / 3));
  CHECK(mean_absolute_error(t, p).value() == about(4. / 3));
  CHECK(mean_absolute_percentage_error(t, p).value() == about(100 * 1.75 / 3));
  const double a = std::log(3. / 2), b = std::log(2. / 5);
  CHECK(mean_squared_logarithmic_error(t, p).value() == about((a * a + b * b) / 3));
  CHECK(huber(t, p).value() == about((0.5 + 2.5) / 3));
  CHECK(huber(t, p, {.delta = 2}).value() == about((0.5 + 4) / 3));
  CHECK(log_cosh(t, p).value() == about((std::log(std::cosh(1)) + std::log(std::cosh(3))) / 3));
  CHECK(cosine_similarity(t, p).value() == about(-10 / std::sqrt(21. * 9)));
  CHECK(cosine_similarity(t, row({0, 0, 0})).value() == 0);
}

TEST_CASE("log_cosh keeps its digits near 0 and far from it") {
  CHECK(log_cosh(row({0}), row({1e-6})).value() == about(0.5e-12));
  CHECK(log_cosh(row({0}), row({1e4})).value() == about(1e4 - std::log(2)));
}

TEST_CASE("losses of distributions and margins by hand") {
  CHECK(kl_divergence(row({0.25, 0.75}), row({0.5, 0.5})).value() ==
        about(0.25 * std::log(0.5) + 0.75 * std::log(1.5)));
  CHECK(poisson(row({2, 0}), row({1, 3})).value() == about((4 - 2 * std::log(1 + 1e-7)) / 2));
  CHECK(hinge(row({1, -1, 0}), row({0.5, 0.5, 0.5})).value() == about((0.5 + 1.5 + 1.5) / 3));
  CHECK(squared_hinge(row({1, 0}), row({0.5, 0.5})).value() == about((0.25 + 2.25) / 2));
  CHECK(categorical_hinge(row({0, 1, 0}), row({0.3, 0.5, 0.9})).value() == about(1.4));
  CHECK(categorical_hinge(row({0, 1, 0}), row({0.3, 2.5, 0.9})).value() == 0);
}

TEST_CASE("cross entropies agree from logits and from probabilities") {
  const Tensor logits = random_normal({6, 4}, Seed{1}, DType::f64);
  const Tensor t = softmax(random_normal({6, 4}, Seed{2}, DType::f64));
  const Tensor ids = argmax(t, {-1});
  const Tensor p = softmax(logits), q = sigmoid(logits);
  CHECK(binary_crossentropy(t, logits).value() ==
        about(binary_crossentropy(t, q, {.from_logits = false}).value()));
  CHECK(binary_focal_crossentropy(t, logits).value() ==
        about(binary_focal_crossentropy(t, q, {.from_logits = false}).value()));
  CHECK(categorical_crossentropy(t, logits).value() ==
        about(categorical_crossentropy(t, p, {.from_logits = false}).value()));
  CHECK(categorical_focal_crossentropy(t, logits).value() ==
        about(categorical_focal_crossentropy(t, p, {.from_logits = false}).value()));
  CHECK(sparse_categorical_crossentropy(ids, logits).value() ==
        about(sparse_categorical_crossentropy(ids, p, {.from_logits = false}).value()));
  // Keras divides by the sum.
  CHECK(categorical_crossentropy(t, 3 * p, {.from_logits = false}).value() ==
        about(categorical_crossentropy(t, logits).value()));
  // A one-hot target is an id; without focus a focal loss is alpha times the plain one.
  const Tensor hot = one_hot(ids, 4, DType::f64);
  CHECK(categorical_crossentropy(hot, logits).value() ==
        about(sparse_categorical_crossentropy(ids, logits).value()));
  CHECK(categorical_focal_crossentropy(hot, logits, {.alpha = 0.5, .gamma = 0}).value() ==
        about(0.5 * sparse_categorical_crossentropy(ids, logits).value()));
}

TEST_CASE("label smoothing takes from the target and gives to all") {
  const Tensor logits = row({1, -2});
  CHECK(categorical_crossentropy(row({1, 0}), logits, {.label_smoothing = 0.2}).value() ==
        about(categorical_crossentropy(row({0.9, 0.1}), logits).value()));
  CHECK(binary_crossentropy(row({1, 0}), logits, {.label_smoothing = 0.2}).value() ==
        about(binary_crossentropy(row({0.9, 0.1}), logits).value()));
}

TEST_CASE("the focal loss by hand") {
  const double p = 0.8;
  const Tensor x = row({std::log(p / (1 - p))});
  CHECK(binary_focal_crossentropy(row({1}), x).value() == about(-0.04 * std::log(p)));
  CHECK(binary_focal_crossentropy(row({0}), x, {.apply_class_balancing = true}).value() ==
        about(-0.75 * 0.64 * std::log(1 - p)));
}

TEST_CASE("a target of ids or truth values takes the prediction's type") {
  const Tensor x = row({0.5, -1});
  const double expected = binary_crossentropy(row({1, 0}), x).value();
  CHECK(binary_crossentropy(tensor<std::int64_t>({1, 0}, {1, 2}), x).value() == expected);
  CHECK(binary_crossentropy(tensor<bool>({true, false}, {1, 2}), x).value() == expected);
}

TEST_CASE("logits of 1e4 either way give finite losses and gradients") {
  for (const auto dtype : {DType::f32, DType::f64}) {
    for (const double size : {1e4, -1e4, 0.}) {
      const Tensor x = cast(row({size, -size, 0}), dtype).with_grad();
      const Tensor t = cast(row({1, 0, 0}), dtype), id = tensor<std::int64_t>({0}, {1});
      const Loss all =
          binary_crossentropy(t, x) + categorical_crossentropy(t, x) +
          sparse_categorical_crossentropy(id, x) + binary_focal_crossentropy(t, x) +
          binary_focal_crossentropy(t, x, {.gamma = 0.5}) +
          binary_focal_crossentropy(t, x, {.gamma = 0}) + categorical_focal_crossentropy(t, x) +
          categorical_focal_crossentropy(t, x, {.gamma = 0.5}) + log_cosh(t, x) + huber(t, x) +
          hinge(t, x) + categorical_hinge(t, x) + cosine_similarity(t, x);
      CHECK(std::isfinite(all.value()));
      all.backward();
      for (double g : cast(x.grad(), DType::f64).to_vector<double>()) CHECK(std::isfinite(g));
    }
  }
}

TEST_CASE("probabilities of 0 and 1 give finite losses and gradients") {
  const Tensor p = row({0, 1, 0}).with_grad(), t = row({1, 0, 0});
  const Loss all =
      binary_crossentropy(t, p, {.from_logits = false}) +
      categorical_crossentropy(t, p, {.from_logits = false}) +
      categorical_crossentropy(t, 0 * p, {.from_logits = false}) +
      sparse_categorical_crossentropy(tensor<std::int64_t>({0}, {1}), p, {.from_logits = false}) +
      binary_focal_crossentropy(t, p, {.from_logits = false}) +
      categorical_focal_crossentropy(t, p, {.from_logits = false}) + kl_divergence(t, p) +
      poisson(t, p);
  CHECK(std::isfinite(all.value()));
  all.backward();
  for (double g : p.grad().to_vector<double>()) CHECK(std::isfinite(g));
}

TEST_CASE("ignore_class leaves its positions out, as a mask does") {
  const Tensor x = random_normal({2, 3, 4}, Seed{1}, DType::f64).with_grad();
  const Tensor ids = tensor<std::int64_t>({0, -1, 2, -1, 3, 1}, {2, 3});
  const Mask mask = Mask::keep({{true, false, true}, {false, true, true}});
  const Loss loss = sparse_categorical_crossentropy(ids, x, {.ignore_class = -1});
  CHECK(loss.value() == sparse_categorical_crossentropy(ids, x.with_mask(mask)).value());
  CHECK(loss.count() == 4);
  CHECK(loss.positions().mask() == mask);
  loss.backward();
  CHECK(x.grad().item({0, 1, 0}) == 0);
  // In a masked batch too, whatever stands in the padding.
  const Mask first = Mask::from_lengths({2, 0}, 3);
  CHECK(sparse_categorical_crossentropy(ids, x.value().with_mask(first), {.ignore_class = -1})
            .count() == 1);
}

TEST_CASE("class weights count as sample weights do") {
  const Tensor x = random_normal({3, 2}, Seed{1}, DType::f64);
  const Tensor ids = tensor<std::int64_t>({0, 1, 1}, {3}), hot = one_hot(ids, 2, DType::f64);
  const Tensor classes = tensor({2., 0.5}, {2}), samples = tensor({1., 3., 0.}, {3});
  const Tensor both = tensor({2., 1.5, 0.}, {3});
  const double expected = sparse_categorical_crossentropy(ids, x, {.sample_weight = both}).value();
  const Loss loss =
      sparse_categorical_crossentropy(ids, x, {.sample_weight = samples, .class_weight = classes});
  CHECK(loss.value() == about(expected));
  CHECK(loss.count() == 3.5);
  CHECK(categorical_crossentropy(hot, x, {.sample_weight = samples, .class_weight = classes})
            .value() == about(expected));
  const Tensor t = tensor({0., 1., 1.}, {3, 1}), logit = slice(x, -1, 0, 1);
  CHECK(
      binary_crossentropy(t, logit, {.sample_weight = samples, .class_weight = classes}).value() ==
      about(binary_crossentropy(t, logit, {.sample_weight = both}).value()));
}

TEST_CASE("weights are one for each position or the first axes of them, read where valid alone") {
  const Mask mask = Mask::from_lengths({2, 1, 0}, 2);
  const Tensor zero = zeros({3, 2, 1}, DType::f64);
  const Tensor p = tensor({1., 2., 3., nan, nan, nan}, {3, 2, 1}).with_mask(mask);
  const Tensor steps = tensor({1., 3., 2., nan, -1., nan}, {3, 2});
  CHECK(mean_squared_error(zero, p, {.sample_weight = steps}).value() == about((1 + 12 + 18) / 6.));
  CHECK(mean_squared_error(zero, p, {.sample_weight = tensor({1., 4., 1.}, {3})}).value() ==
        about((1 + 4 + 36) / 6.));
  // The weighted mean of each sequence; or weights of the sequences' means.
  CHECK(mean_squared_error(zero, p, {.reduction = Reduction::per_sequence, .sample_weight = steps})
            .value() == about((13 / 4. + 9) / 2));
  CHECK(mean_squared_error(
            zero, p,
            {.reduction = Reduction::per_sequence, .sample_weight = tensor({1., 4., nan}, {3})})
            .value() == about((2.5 + 36) / 5));
  // A sequence that weighs nothing has no mean.
  const Tensor none = tensor({1., 3., 0., 0., 0., 0.}, {3, 2});
  const Loss one =
      mean_squared_error(zero, p, {.reduction = Reduction::per_sequence, .sample_weight = none});
  CHECK(one.value() == about(13 / 4.));
  CHECK(one.count() == 1);
}

TEST_CASE("losses refuse what does not fit, by name") {
  const Tensor x = zeros({2, 3}, DType::f64), ids = tensor<std::int64_t>({0, 1}, {2});
  const Tensor full = x.with_mask(Mask::keep({{true, true, false}, {true, true, true}}));
  CHECK(throws<ShapeError>([&] { huber(zeros({2, 1}, DType::f64), x); }, "huber", "f64[2, 1]"));
  CHECK(throws<OptionError>([&] { huber(x, x, {.delta = 0}); }, "huber", ".delta is 0"));
  CHECK(throws<TypeError>([&] { poisson(ids, ids); }, "poisson", "i64[2]"));
  CHECK(throws<MaskError>([&] { kl_divergence(x, full); }, "kl_divergence", "whole positions"));
  CHECK(throws<MaskError>([&] { categorical_crossentropy(x, full); }, "categorical_crossentropy"));
  CHECK(throws<OptionError>([&] { binary_crossentropy(x, x, {.label_smoothing = nan}); },
                            "binary_crossentropy", ".label_smoothing is nan", "from 0 to 1"));
  CHECK(throws<OptionError>([&] { categorical_focal_crossentropy(x, x, {.gamma = -1}); },
                            ".gamma is -1"));
  CHECK(throws<OptionError>([&] { binary_focal_crossentropy(x, x, {.alpha = 2}); }, ".alpha is 2"));
  CHECK(throws<ShapeError>(
      [&] {
        sparse_categorical_crossentropy(ids, zeros({3, 2}));
      },
      "sparse_categorical_crossentropy", "i64[2]", "f32[3, 2]"));
  CHECK(throws<TypeError>([&] { sparse_categorical_crossentropy(x, x); }, "ids"));
}

TEST_CASE("weights that do not fit are refused") {
  const Tensor x = zeros({2, 3}, DType::f64), ids = tensor<std::int64_t>({0, 1}, {2});
  CHECK(throws<ShapeError>([&] { huber(x, x, {.sample_weight = ones({3})}); }, "weights f32[3]",
                           "[batch]"));
  CHECK(throws<OptionError>(
      [&] {
        huber(x, x, {.sample_weight = tensor({1., nan}, {2})});
      },
      "a weight is nan", "finite"));
  CHECK(throws<ShapeError>([&] { sparse_categorical_crossentropy(ids, x, {.class_weight = x}); },
                           "class weights"));
  CHECK(throws<OptionError>(
      [&] {
        binary_crossentropy(x, x, {.class_weight = tensor({1., 2.}, {2})});
      },
      "several features"));
  CHECK(throws<ShapeError>([&] { binary_crossentropy(x, x, {.class_weight = ones({3})}); },
                           "of 0 and 1"));
  CHECK(throws<OptionError>(
      [&] {
        sparse_categorical_crossentropy(tensor<std::int64_t>({0, 1, 1, 1}, {2, 2}),
                                        zeros({2, 2, 2}),
                                        {.reduction = Reduction::per_sequence,
                                         .sample_weight = ones({2}),
                                         .class_weight = ones({2})});
      },
      "per_sequence", "class weights"));
}

TEST_CASE("the factory knows every loss by both names, and refuses another axis") {
  CHECK(make_loss_function("kl_divergence")(row({1}), row({1})).terms()[0].name == "kl_divergence");
  for (const auto name : loss_names()) CHECK(static_cast<bool>(make_loss_function(name)));
  CHECK(throws<OptionError>([] { make_loss_function("Hube"); }, "no loss 'Hube'", "'Huber'"));
  CHECK(static_cast<bool>(make_loss_function("CosineSimilarity", R"({"axis": -1})")));
  CHECK(throws<OptionError>([] { make_loss_function("CosineSimilarity", R"({"axis": 1})"); },
                            "axis", "-1"));
}

}  // namespace
}  // namespace maskgrad::tests::test_loss_values
