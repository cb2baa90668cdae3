#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_losses {
namespace {

const double nan = std::numeric_limits<double>::quiet_NaN();

TEST_CASE("reductions of a masked squared error, the target dense and garbage in its padding") {
  const Mask mask = Mask::from_lengths({2, 0, 1}, 2);
  const Tensor target = tensor({0., 2., 1e30, nan, 0., 7.}, {3, 2, 1});
  const Tensor p = tensor({1., 0., nan, nan, 3., nan}, {3, 2, 1}).with_mask(mask);
  CHECK(mean_squared_error(target, p).value() == doctest::Approx((1. + 4 + 9) / 3));
  CHECK(mean_squared_error(target, p, {.reduction = Reduction::sum}).value() == 14);
  CHECK(mean_squared_error(target, p, {.reduction = Reduction::per_sequence}).value() ==
        doctest::Approx((2.5 + 9) / 2));
  const Loss none = mean_squared_error(target, p, {.reduction = Reduction::none});
  CHECK(none.positions().mask() == mask);
  CHECK(throws<GradError>([&] { none.backward(); }, "reduction none"));
}

TEST_CASE("weights count: the sum of weighted errors over the sum of weights") {
  const Tensor target = tensor({0., 0., 0.}, {3, 1}), p = tensor({1., 2., 3.}, {3, 1});
  const Loss loss = mean_squared_error(target, p, {.sample_weight = tensor({1., 0., 3.}, {3})});
  CHECK(loss.value() == doctest::Approx((1 + 27) / 4.));
  CHECK(loss.count() == 4);
  CHECK(throws<OptionError>(
      [&] {
        mean_squared_error(target, p, {.sample_weight = tensor({1., -1., 3.}, {3})});
      },
      "a weight is -1"));
}

TEST_CASE("shapes are not broadcast, types not mixed, ids checked") {
  const Tensor p = zeros({4, 3}, DType::f64);
  CHECK(throws<ShapeError>([&] { mean_squared_error(zeros({4}, DType::f64), p); }, "f64[4]",
                           "f64[4, 3]", "Nothing is broadcast"));
  CHECK(throws<TypeError>([&] { mean_squared_error(zeros({4, 3}), p); }, "f32", "f64"));
  CHECK(throws<IndexError>(
      [&] {
        sparse_categorical_crossentropy(tensor<std::int64_t>({0, 1, 2, 3}, {4}), p);
      },
      "the id 3", "expected 0 to 2"));
  // An id under the mask is not read.
  const Mask three = Mask::keep({true, true, true, false}, {4});
  const Loss loss =
      sparse_categorical_crossentropy(tensor<std::int64_t>({0, 1, 2, 99}, {4}), p.with_mask(three));
  CHECK(loss.value() == doctest::Approx(std::log(3)));
}

TEST_CASE("cross entropy of extreme logits is finite and exact") {
  const Tensor logits = tensor({1000., 0., -1000.}, {1, 3}).with_grad();
  const Loss loss = sparse_categorical_crossentropy(tensor<std::int64_t>({2}, {1}), logits);
  CHECK(loss.value() == 2000);
  loss.backward();
  CHECK(logits.grad().to_vector<double>() == std::vector<double>{1, 0, -1});
}

TEST_CASE("a sum of losses keeps the terms and their counts") {
  const Tensor x = tensor({1., 2., 3., 4.}, {4, 1}).with_grad();
  const Tensor first = x.with_mask(Mask::keep({true, true, false, false}, {4}));
  const Loss both = mean_squared_error(zeros({4, 1}, DType::f64), x) +
                    0.5 * mean_squared_error(zeros({4, 1}, DType::f64), first);
  CHECK(both.value() == doctest::Approx(30 / 4. + 0.5 * 5 / 2.));
  both.backward();
  CHECK(x.grad().to_vector<double>()[0] == doctest::Approx(2 / 4. + 0.5 * 2 / 2.));
  CHECK(x.grad().to_vector<double>()[2] == doctest::Approx(6 / 4.));
  CHECK(both.str().find("0.5 * mean_squared_error (mean over 2 positions)") != std::string::npos);
}

TEST_CASE("positions that one of the two masks alone has fall away: counted, said, or refused") {
  const Mask longer = Mask::from_lengths({3, 1}, 3), shorter = Mask::from_lengths({2, 2}, 3);
  const Tensor x = full({2, 3, 4}, 0.25, DType::f64);
  const Tensor p = x.with_mask(longer), y = x.with_mask(shorter);
  const Tensor ids = zeros({2, 3}, DType::i64).with_mask(shorter);
  const Tensor transitions = zeros({4, 4}, DType::f64);
  const std::vector<std::pair<const char*, std::function<Loss(bool)>>> losses = {
      {"mean_squared_error",
       [&](bool strict) { return mean_squared_error(y, p, {.strict_lengths = strict}); }},
      {"huber", [&](bool strict) { return huber(y, p, {.strict_lengths = strict}); }},
      {"hinge", [&](bool strict) { return hinge(y, p, {.strict_lengths = strict}); }},
      {"kl_divergence",
       [&](bool strict) { return kl_divergence(y, p, {.strict_lengths = strict}); }},
      {"binary_crossentropy",
       [&](bool strict) { return binary_crossentropy(y, p, {.strict_lengths = strict}); }},
      {"binary_focal_crossentropy",
       [&](bool strict) { return binary_focal_crossentropy(y, p, {.strict_lengths = strict}); }},
      {"categorical_crossentropy",
       [&](bool strict) {
         return categorical_crossentropy(
             y, p, {.class_weight = ones({4}, DType::f64), .strict_lengths = strict});
       }},
      {"sparse_categorical_crossentropy",
       [&](bool strict) {
         return sparse_categorical_crossentropy(ids, p,
                                                {.ignore_class = 3, .strict_lengths = strict});
       }},
      {"crf_loss",
       [&](bool strict) { return crf_loss(ids, p, transitions, {.strict_lengths = strict}); }},
  };
  for (const auto& row : losses) {
    CAPTURE(row.first);
    CHECK(row.second(false).fallen_away() == 2);
    CHECK(row.second(false).str().find(
              "; 2 fell away, valid in the target or the prediction alone)") != std::string::npos);
    CHECK(throws<MaskError>([&] { row.second(true); }, row.first,
                            "2 positions are valid in one of them", "leave out .strict_lengths"));
  }
  CHECK((mean_squared_error(y, p) + 0.5 * mean_squared_error(y, p)).fallen_away() == 4);
}

TEST_CASE("nothing falls away under equal masks, under one mask, or where values are missing") {
  const Mask mask = Mask::from_lengths({3, 1}, 3), equal = Mask::from_lengths({3, 1}, 3);
  const Tensor x = ones({2, 3, 1}, DType::f64), p = x.with_mask(mask);
  for (const Tensor& y : {p, x.with_mask(equal), x}) {
    CHECK(mean_squared_error(y, p, {.strict_lengths = true}).fallen_away() == 0);
    CHECK(mean_squared_error(p, y, {.strict_lengths = true}).fallen_away() == 0);
  }
  CHECK(mean_squared_error(x, p).str() == "mean_squared_error (mean over 4 positions)");
  const std::string text = fmt::format("{}", mean_squared_error(x, p));
  CHECK(text == fmt::format("{:.6g}: mean_squared_error (mean over 4 positions)",
                            mean_squared_error(x, p).value()));
  // A mask over features beside one over steps: two of the four values are missing.
  const Tensor some = x.with_mask(Mask::keep({true, false, true, false, false, false}, {2, 3, 1}));
  CHECK(mean_squared_error(some, p).fallen_away() == 2);
}

TEST_CASE("a batch without steps has a mean loss of 0, over nothing") {
  for (const auto reduction : {Reduction::mean, Reduction::sum, Reduction::per_sequence}) {
    const Tensor nothing = zeros({2, 0, 3});
    const Loss loss = mean_squared_error(nothing, nothing.with_grad(), {.reduction = reduction});
    CHECK(loss.value() == 0);
    CHECK(loss.count() == 0);
    loss.backward();
  }
}

}  // namespace
}  // namespace maskgrad::tests::test_losses
