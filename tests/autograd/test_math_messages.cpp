#include <limits>

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/reduce/cumulative.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/reduce/softmax.hpp>
#include <maskgrad/autograd/ops/reduce/standardize.hpp>
#include <maskgrad/autograd/ops/shape/sort.hpp>

#include "counted.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_math_messages {
namespace {

const Tensor& ids() {
  static const Tensor x = arange(6);
  return x;
}

Tensor truth() {
  return tensor<bool>({true, false}, {2});
}

/// [2, 3, 2] under the mask [2, 3].
Tensor masked() {
  return counted({2, 3, 2}).with_mask(holes());
}

}  // namespace

TEST_SUITE("messages of mathematics") {
  TEST_CASE("element types") {
    for (auto f : {exp, sqrt, tanh, sin, relu, gelu, sigmoid, softplus}) {
      CHECK(throws<TypeError>([&] { f(ids()); }, "got i64[6]; expected f32 or f64"));
    }
    CHECK(throws<TypeError>([] { abs(truth()); },
                            "abs: got bool[2]; expected numbers. Use cast(x, DType::f32)"));
    CHECK(throws<TypeError>([] { isnan(ids()); }, "isnan: got i64[6]; expected f32 or f64"));
    CHECK(throws<TypeError>([] { logical_not(ids()); },
                            "logical_not: got i64[6]; expected bool. Use a comparison"));
    CHECK(throws<TypeError>([] { logical_and(truth(), ids()); }, "logical_and: got i64[6]"));
    CHECK(throws<TypeError>([] { any_true(ids()); },
                            "any_true: got i64[6]; expected bool. Use a comparison such as "
                            "not_equal(x, 0)"));
    CHECK(throws<TypeError>([] { all_true(ids()); }, "all_true: got i64[6]; expected bool"));
    for (auto f : {sum, product, max, min, argmax, argmin}) {
      CHECK(throws<TypeError>([&] { f(truth(), {}, false); }, "got bool[2]; expected numbers"));
    }
    for (auto f : {mean, logsumexp}) {
      CHECK(throws<TypeError>([&] { f(ids(), {}, false); }, "got i64[6]; expected f32 or f64"));
    }
    for (auto f : {variance, std_deviation}) {
      CHECK(throws<TypeError>([&] { f(ids(), {}, false, 0); }, "got i64[6]; expected f32 or f64"));
    }
    CHECK(throws<TypeError>([] { softmax(ids()); }, "softmax: got i64[6]"));
    CHECK(throws<TypeError>([] { cumsum(truth(), 0); }, "cumsum: got bool[2]"));
    CHECK(throws<TypeError>([] { cumprod(truth(), 0); }, "cumprod: got bool[2]"));
    CHECK(throws<TypeError>([] { sort(truth()); }, "sort: got bool[2]"));
    CHECK(throws<TypeError>([] { argsort(truth()); }, "argsort: got bool[2]"));
    CHECK(throws<TypeError>([] { top_k(truth(), 1); }, "top_k: got bool[2]"));
    CHECK(throws<TypeError>([] { clip(truth(), 0, 1); }, "clip: got bool[2]"));
  }

  TEST_CASE("axes") {
    CHECK(throws<ShapeError>([] { sum(masked(), 3); },
                             "sum: axis 3 of a tensor of shape [2, 3, 2]; expected an axis from -3 "
                             "to 2"));
    CHECK(throws<ShapeError>(
        [] {
          mean(masked(), {1, -2});
        },
        "mean: axis 1 of shape [2, 3, 2] is named twice; expected each axis "
        "once"));
    CHECK(
        throws<ShapeError>([] { softmax(scalar(1)); }, "softmax: axis -1 of a tensor of shape []"));
    CHECK(throws<ShapeError>([] { sort(scalar(1)); }, "sort: axis -1 of a tensor of shape []"));
    CHECK(throws<ShapeError>(
        [] {
          top_k(counted({2, 3}), 4);
        },
        "top_k: k is 4 and the last axis of f64[2, 3] has 3 values; expected 0 "
        "to 3"));
    CHECK(throws<ShapeError>([] { top_k(counted({2, 3}), -1); }, "k is -1"));
    CHECK(throws<ShapeError>([] { standardize(counted({3})); },
                             "standardize: got f64[3]; expected [..., features], or the axes to "
                             "run over"));
  }

  TEST_CASE("masks") {
    for (auto f : {softmax, log_softmax, cumsum, cumprod}) {
      CHECK(throws<MaskError>(
          [&] { f(masked(), 0); },
          "axis 0 of f64[2, 3, 2], mask [2, 3] made by Mask::keep is a mask axis "
          "and not the last one",
          "expected axis 1 (a sequence's valid steps) or an inner axis", "x.drop_mask(\"why\")"));
    }
    const Tensor scores = counted({2, 3}).with_mask(holes());
    CHECK(
        throws<MaskError>([&] { sort(scores); },
                          "sort: axis 1 of f64[2, 3], mask [2, 3] made by Mask::keep is a mask "
                          "axis, which it would cross; a sequence cannot be sorted; sort an inner "
                          "axis"));
    CHECK(throws<MaskError>([&] { argsort(scores); }, "argsort: axis 1"));
    CHECK(throws<MaskError>([&] { top_k(scores, 1); }, "top_k: axis 1"));
  }

  TEST_CASE("options") {
    const Tensor x = counted({3});
    CHECK(throws<OptionError>([&] { clip(x, 2, 1); },
                              "clip: low is 2 and high is 1; expected low <= high"));
    constexpr double inf = std::numeric_limits<double>::infinity();
    const Tensor whole = arange(4);
    for (const auto& [low, high] : {std::pair{0.5, 2.0}, {inf, inf}, {0, 0x1p63}, {-inf, -inf}}) {
      CHECK(throws<TypeError>([&, low = low, high = high] { clip(whole, low, high); },
                              "expected whole numbers that i64 holds (or -inf and inf for no "
                              "bound). Use cast(x, DType::f32) for others"));
    }
    CHECK(clip(whole, 1, inf).to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 1, 2, 3});
    CHECK(clip(whole, -inf, 2).to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 1, 2, 2});
    CHECK(throws<OptionError>([&] { relu(x, {.max_value = -1}); },
                              "relu: max_value is -1 and threshold 0; expected threshold <= "
                              "max_value"));
    CHECK(throws<OptionError>([&] { celu(x, 0); }, "celu: alpha is 0; expected a number above 0"));
    CHECK(throws<OptionError>([&] { hard_shrink(x, -1); },
                              "hard_shrink: threshold is -1; expected 0 or more"));
    CHECK(throws<OptionError>([&] { soft_shrink(x, -1); }, "soft_shrink: threshold is -1"));
    CHECK(throws<OptionError>([&] { squareplus(x, -1); }, "squareplus: b is -1"));
    CHECK(throws<OptionError>([&] { variance(x, 0, false, -1); },
                              "variance: ddof is -1; expected 0 or more"));
    CHECK(
        throws<OptionError>([&] { std_deviation(x, 0, false, -2); }, "std_deviation: ddof is -2"));
    const Tensor masked = ones({2, 3}, DType::f64).with_mask(Mask::from_lengths({3, 1}, 3));
    const Tensor of_too_few = variance(masked, 1, false, std::numeric_limits<int>::max());
    CHECK(of_too_few.mask().valid() == 0);
    CHECK(throws<OptionError>([&] { standardize(x, 0, 0); },
                              "standardize: epsilon is 0; expected a number above 0"));
    CHECK(throws<OptionError>([] { activation("rellu"); },
                              "activation: no activation is named 'rellu'; did you mean 'relu'?",
                              "elu, exponential, gelu"));
  }

  TEST_CASE("a value that does not exist, and data that is not there") {
    const Tensor nothing = from_sequences<double>({{}, {}});
    CHECK(throws<MaskError>([&] { mean(nothing).item(); },
                            "item: f64[], mask [] made by Mask::from_lengths: its only position is "
                            "not valid"));
    const Tensor meta = rows::make_meta({any, 3}, DType::f32);
    CHECK(mean(meta, 0).is_meta());
    CHECK(throws<StateError>([&] { exp(meta).to_vector<float>(); }, "is a meta tensor"));
  }
}

}  // namespace maskgrad::tests::test_math_messages
