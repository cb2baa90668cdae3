#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <maskgrad/autograd/checking.hpp>
#include <maskgrad/maskgrad.hpp>

#include "layers/loss_cases.hpp"
#include "odd_values.hpp"

namespace maskgrad::tests::test_unread_losses {
namespace {

Tensor row(Values all) {
  const auto n = static_cast<std::int64_t>(all.size());
  return tensor(std::move(all), {1, n});
}

/// x with what belongs to weights of 0 replaced.
Tensor spoiled(const Tensor& x, const Values& weights, double bad) {
  const auto wide = x.shape().count() / static_cast<std::int64_t>(weights.size());
  const auto at = [&](std::size_t i) { return weights[i / static_cast<std::size_t>(wide)] == 0; };
  if (x.dtype() == DType::i64) {
    auto all = x.to_vector<std::int64_t>();
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = at(i) ? (bad < 0 ? -7 : 99) : all[i];
    return tensor(all, x.shape());
  }
  Values all = values(x);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = at(i) ? bad : all[i];
  return cast(tensor(all, x.shape()), x.dtype());
}

/// The results of a case, and the gradients of the first with respect to its real inputs.
Tensors run(const OpCase& c, Tensors inputs) {
  for (auto& x : inputs) {
    if (is_real(x.dtype())) x = x.with_grad();
  }
  Tensors all = c.f(inputs);
  all[0].backward();
  for (const auto& x : inputs) {
    if (is_real(x.dtype())) all.push_back(x.grad());
  }
  return all;
}

bool has_weights(const OpCase& c) {
  return c.inputs.size() > 2 && c.inputs.back().draw == Draw::ids;
}

TEST_SUITE("laws") {
  TEST_CASE("what has the sample weight 0 reaches no bit of any loss, forward and backward") {
    for (const auto& c : weighted_loss_cases()) {
      if (!has_weights(c)) continue;
      for (const auto dtype : {DType::f32, DType::f64}) {
        Tensors inputs;
        for (const auto& input : c.inputs) {
          const Tensor x = draw(input, 10 + inputs.size());
          inputs.push_back(is_real(x.dtype()) ? cast(x, dtype) : x);
        }
        const Values weights = values(inputs.back());
        REQUIRE(std::find(weights.begin(), weights.end(), 0) != weights.end());
        const Tensors right = run(c, inputs);
        for (const double bad : {nan, infinity, -infinity}) {
          Tensors other = inputs;
          for (std::size_t i : {0U, 1U}) other[i] = spoiled(inputs[i], weights, bad);
          const Tensors got = run(c, other);
          REQUIRE(got.size() == right.size());
          for (std::size_t i = 0; i < got.size(); ++i) {
            CHECK_MESSAGE(checking::identical(got[i], right[i]), c.title(), ": result ", i,
                          " with ", bad);
            CHECK(finite(got[i]));
          }
        }
      }
    }
  }
  TEST_CASE("NaN in a prediction or target makes every loss NaN, wherever it stands") {
    for (const auto& c : loss_cases()) {
      const bool sum = c.variant.find("\"reduction\": \"sum\"") != std::string::npos;
      if (!sum || c.variant.find("ignore_class") != std::string::npos) continue;
      Tensors inputs;
      for (const auto& input : c.inputs) inputs.push_back(draw(input, 10 + inputs.size()));
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (!is_real(inputs[i].dtype())) continue;
        for (std::size_t k = 0; k < values(inputs[i]).size(); k += 7) {
          Values all = values(inputs[i]);
          all[k] = nan;
          Tensors other = inputs;
          other[i] = tensor(all, inputs[i].shape());
          CHECK_MESSAGE(std::isnan(c.f(other)[0].item()), c.title(), ": input ", i, " at ", k);
        }
      }
    }
  }
}

TEST_CASE("positions of weight 0 are 0 where all are asked for, and masked where they were") {
  const Tensor t = tensor({0., nan, 0., 0.}, {2, 2, 1}), p = tensor({1., nan, 3., nan}, {2, 2, 1});
  const Tensor w = tensor({2., 0., 1., 5.}, {2, 2});
  const Mask mask = Mask::keep({{true, true}, {true, false}});
  for (const bool masked : {false, true}) {
    const Tensor x =
        (masked ? p.with_mask(mask) : where(equal(p, p), p, full({}, 1, DType::f64))).with_grad();
    const Loss loss = mean_squared_error(t, x, {.reduction = Reduction::none, .sample_weight = w});
    CHECK(loss.positions().has_mask() == masked);
    CHECK(values(loss.positions()) == Values{2, 0, 9, masked ? 0. : 5.});
    sum(loss.positions()).backward();
    CHECK(values(x.grad()) == Values{4, 0, 6, masked ? 0. : 10.});
  }
  // Nothing but weights of 0 is nothing.
  const Loss none = mean_squared_error(t, p.with_grad(), {.sample_weight = zeros({2, 2})});
  CHECK(none.value() == 0);
  CHECK(none.count() == 0);
  none.backward();
  // The same for losses of one's own.
  const Tensor own = tensor({1., nan}, {2}).with_grad();
  const Loss mine = make_loss("mine", own, {.sample_weight = tensor({3., 0.}, {2})});
  CHECK(mine.value() == 1);
  mine.backward();
  CHECK(values(own.grad()) == Values{1, 0});
}

TEST_CASE("what has the class weight 0 or an ignored class is not read") {
  const Tensor x = tensor({0.5, 1., 0.3, nan, nan, nan, 2., 0.5, 1.}, {3, 3}).with_grad();
  const Tensor ids = tensor<std::int64_t>({0, 1, 2}, {3}), w = tensor({1., 0., 3.}, {3});
  const Tensor two = concatenate({slice(x.value(), 0, 0, 1), slice(x.value(), 0, 2, 3)}, 0);
  const Tensor of_two = tensor<std::int64_t>({0, 2}, {2});
  const auto same = [&](const Loss& loss, const Loss& expected) {
    CHECK(loss.value() == expected.value());
    CHECK(loss.count() == expected.count());
    x.clear_grad();
    loss.backward();
    CHECK(finite(x.grad()));
    CHECK(values(x.grad())[4] == 0);
    CHECK(values(x.grad())[0] != 0);
  };
  for (const bool logits : {true, false}) {
    same(sparse_categorical_crossentropy(ids, x, {.from_logits = logits, .class_weight = w}),
         sparse_categorical_crossentropy(of_two, two, {.from_logits = logits, .class_weight = w}));
    same(sparse_categorical_crossentropy(ids, x, {.from_logits = logits, .ignore_class = 1}),
         sparse_categorical_crossentropy(of_two, two, {.from_logits = logits}));
    same(categorical_crossentropy(one_hot(ids, 3, DType::f64), x,
                                  {.from_logits = logits, .class_weight = w}),
         categorical_crossentropy(one_hot(of_two, 3, DType::f64), two,
                                  {.from_logits = logits, .class_weight = w}));
  }
  const Tensor p = tensor({0.5, nan, 2.}, {3, 1}).with_grad(), t = tensor({1., 0., 1.}, {3, 1});
  const Loss binary = binary_crossentropy(t, p, {.class_weight = tensor({0., 2.}, {2})});
  const Loss focal = binary_focal_crossentropy(t, p, {.apply_class_balancing = true, .alpha = 1});
  CHECK(binary.value() ==
        binary_crossentropy(ones({2, 1}, DType::f64), tensor({0.5, 2.}, {2, 1})).value());
  (binary + focal).backward();
  CHECK(finite(p.grad()));
  CHECK(std::isfinite(focal.value()));
}

TEST_CASE("what has the target 0 is not read: exact values and finite gradients") {
  const auto check = [](const Loss& loss, const Tensor& p, double value) {
    CHECK(loss.value() == doctest::Approx(value).epsilon(1e-12));
    p.clear_grad();
    loss.backward();
    CHECK(finite(p.grad()));
  };
  const Tensor one = row({0, 1, 0}), never = row({-infinity, 0, 0}).with_grad();
  const double half = std::log(2.);
  check(categorical_crossentropy(one.with_grad(), never), never, half);
  check(categorical_focal_crossentropy(one, never, {.alpha = 1, .gamma = 0}), never, half);
  check(categorical_focal_crossentropy(one, never, {.alpha = 1}), never, half / 4);
  check(sparse_categorical_crossentropy(tensor<std::int64_t>({1}, {1}), never), never, half);
  const Tensor truths = row({0, 1}).with_grad(), sure = row({-infinity, infinity}).with_grad();
  check(binary_crossentropy(truths, sure), sure, 0);
  CHECK(finite(truths.grad()));
  check(binary_focal_crossentropy(truths.value(), sure), sure, 0);
  const Tensor some = row({nan, 0.5}).with_grad();
  check(kl_divergence(row({0, 1}), some), some, half);
  const Tensor low = row({-1, 2}).with_grad();
  check(poisson(row({0, 3}), low), low, (-1 + 2 - 3 * std::log(2 + 1e-7)) / 2);
  const Tensor x = row({1, 2}).with_grad();
  check(binary_crossentropy(row({nan, infinity}), x, {.label_smoothing = 1}), x,
        binary_crossentropy(row({0.5, 0.5}), x.value()).value());
}

}  // namespace
}  // namespace maskgrad::tests::test_unread_losses
