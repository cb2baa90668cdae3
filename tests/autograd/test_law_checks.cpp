#include <doctest/doctest.h>

#include <cmath>

#include <maskgrad/autograd/checking.hpp>
#include <maskgrad/autograd/laws/laws.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>

#include "autograd/scaled.hpp"
#include "throws.hpp"

// The checks themselves: each fault must be found, by the law that it breaks.

namespace maskgrad::tests::test_law_checks {
namespace {

constexpr MaskContract propagates{.role = MaskRole::propagates, .why = "a test"};
constexpr MaskContract consumes{.role = MaskRole::consumes, .why = "a test"};
constexpr MaskContract supports{.role = MaskRole::supports, .why = "a test"};
constexpr MaskContract refuses{.role = MaskRole::unsupported, .why = "a test"};

LawReport laws_of(const Callable& f, const MaskContract& contract, LawOptions options = {}) {
  options.samples = options.full = false;
  return check_mask_laws(f, {{"x", InputKind::sequences, sample({4, 5, 3})}}, contract, options);
}

LawReport laws_with(InputKind kind, const Shape& shape, const Callable& f,
                    const MaskContract& contract, LawOptions options = {}) {
  options.samples = options.full = false;
  return check_mask_laws(
      f, {{"x", InputKind::sequences, sample({4, 5, 3})}, {"other", kind, sample(shape)}}, contract,
      options);
}

/// Whether `law` is among the failures; and `text` in what is said of it.
bool found(const LawReport& report, int law, const std::string& text) {
  for (const auto& failure : report.failures) {
    if (failure.law == law && failure.what.find(text) != std::string::npos) return true;
  }
  MESSAGE(report.str());
  return false;
}

}  // namespace

TEST_SUITE("checks of laws") {
  TEST_CASE("what keeps them passes") {
    const auto report = laws_of([](const Tensor& x) { return x * x; }, propagates);
    CHECK_MESSAGE(static_cast<bool>(report), report.str());
    CHECK(report.checks > 100);
  }

  TEST_CASE("law 1: padding that reaches a result, or a gradient") {
    const auto leaks = [](const Inputs& x) { return drop_mask(x[0], "a fault") + x[1]; };
    CHECK(found(laws_with(InputKind::covered, {4, 5, 3}, leaks, consumes,
                          {.not_alone = "tested elsewhere"}),
                1, "with NaN there"));
    // Multiplied by a mask instead of selected: right for any padding but NaN and infinity.
    const auto multiplies = [](const Inputs& x) {
      return drop_mask(x[0] * 0 + 1, "a fault") * x[1];
    };
    const auto report = laws_with(InputKind::covered, {4, 5, 3}, multiplies, consumes,
                                  {.not_alone = "tested elsewhere"});
    CHECK(found(report, 1, "nan with NaN there"));
    for (const auto& failure : report.failures) {
      CHECK(failure.what.find("1e30") == std::string::npos);
    }
    const auto gradient = [](const Inputs& x) {
      return record("mine", (x[0].value() + x[1].value()).value(), {x[0], x[1]},
                    [at = x[1].value()](const Tensor& dy, Grads& g) {
                      g.add(0, dy);
                      g.add(1, at * 0 + 1);
                    });
    };
    CHECK(found(laws_with(InputKind::covered, {4, 5, 3}, gradient, propagates), 1,
                "where the mask is false; expected 0"));
  }

  TEST_CASE("law 1: a gradient of 0 that multiplies instead of selecting") {
    const auto multiplies = [](const Tensor& x) {
      if (x.is_meta()) return x;
      return record("mine", square(x.value()), {x}, [x = x.value()](const Tensor& dy, Grads& g) {
        const Tensor dx = checking::like(dy, [&](std::int64_t i) {
          return checking::value_at(dy, i) * 2 * checking::value_at(x, i);
        });
        g.add(0, dx);
      });
    };
    const auto report = laws_of(multiplies, propagates);
    CHECK(found(report, 1, "the gradient of the results of a sequence is 0: the gradient of x["));
    CHECK(found(report, 1, "the gradient of the results of a row is 0: the gradient of x["));
    CHECK(found(report, 1, "nan with infinity there; expected 0"));
  }

  TEST_CASE("law 3: who propagates mixes no rows") {
    const auto mixes = [](const Tensor& x) { return x - mean(x, 1, true); };
    const auto report = laws_of(mixes, propagates);
    CHECK(found(report, 3, "one row changes: result 0["));
    CHECK(found(report, 3, "with another value there"));
    const auto declared = laws_of(mixes, supports);
    CHECK_MESSAGE(static_cast<bool>(declared), declared.str());
    // By the gradient alone.
    const auto back = [](const Tensor& x) {
      if (x.is_meta()) return x;
      return record("mine", x.value(), {x}, [x = x.value()](const Tensor& dy, Grads& g) {
        g.add(0, dy * (x + mean(x, 1, true)));
      });
    };
    CHECK(found(laws_of(back, propagates), 3, "one row changes: the gradient of x["));
  }

  TEST_CASE("law 2 and 5: batch-mates that reach a result") {
    const auto counts = [](const Tensor& x) {
      return x.is_meta() ? x : x * static_cast<double>(x.size(0));
    };
    const auto report = laws_of(counts, propagates);
    CHECK(found(report, 2, "alone and unpadded"));
    CHECK(found(report, 5, "in a part of the batch"));
    const auto exempt =
        laws_of(counts, propagates, {.not_alone = "batch statistics", .not_split = "likewise"});
    CHECK(exempt);
    CHECK(exempt.str().find("not run: law 2 (batch statistics)") != std::string::npos);
    // The padded length alone.
    const auto padded = [](const Tensor& x) {
      return x.is_meta() ? x : x * static_cast<double>(x.size(1));
    };
    CHECK(found(laws_of(padded, propagates), 2, "result 0 of sequence"));
    CHECK(laws_of(padded, propagates, {.not_alone = "a test"}));
  }

  TEST_CASE("law 2: only the gradient differs, or only that of what is shared") {
    const auto own = [](const Tensor& x) {
      return x.is_meta() ? x : scaled(x, 1, static_cast<double>(x.size(0)));
    };
    CHECK(found(laws_of(own, propagates), 2, "the gradient of x for sequence"));
    const auto shared = [](const Inputs& x) {
      if (x[0].is_meta()) return x[0];
      return x[0] * scaled(x[1], 1, static_cast<double>(x[0].size(0)));
    };
    CHECK(found(laws_with(InputKind::shared, {3}, shared, propagates), 5, "the gradient of other"));
    const Parameter w(sample({3}), "layer/w");
    const auto held = [&](const Tensor& x) {
      if (x.is_meta()) return x;
      return x * scaled(w, 1, static_cast<double>(x.size(0)));
    };
    CHECK(found(laws_of(held, propagates, {.variables = {variable_of(w)}}), 5, "layer/w"));
  }

  TEST_CASE("law 3: declared otherwise than done") {
    const auto square = [](const Tensor& x) { return x * x; };
    CHECK(found(laws_of(square, consumes), 3, "the mask goes on as it came"));
    CHECK(found(laws_of(square, refuses), 3, "it accepts the mask"));
    const auto throws_shape = [](const Tensor& x) -> Tensor {
      if (x.has_mask()) fail<ShapeError>("f", "no");
      return x;
    };
    CHECK(found(laws_of(throws_shape, refuses), 3, "no MaskError"));
    CHECK(found(laws_of(throws_shape, propagates), 3, "but it throws: f: no"));
    const auto throws_mask = [](const Tensor& x) -> Tensor {
      check::no_mask("f", x, "a test", "another");
      return x;
    };
    const auto report = laws_of(throws_mask, refuses);
    CHECK_MESSAGE(static_cast<bool>(report), report.str());
    const auto less = [](const Tensor& x) {
      if (x.is_meta() || !x.has_mask()) return x;
      return with_mask(x, Mask::keep(greater(drop_mask(x, "a test"), zeros({3}, DType::f64))));
    };
    CHECK_FALSE(laws_of(less, propagates));
  }

  TEST_CASE("law 3: another thing without data") {
    const auto drops = [](const Tensor& x) {
      return x.is_meta() ? rows::make_meta(x.shape(), x.dtype()) : x * 2;
    };
    CHECK(found(laws_of(drops, propagates), 3, "built without data it is f64[any, any, 3]"));
    const auto reads = [](const Tensor& x) { return x * x.item({0, 0, 0}); };
    CHECK(found(laws_of(reads, propagates), 3, "without data it throws"));
    const auto throws_on_data = [](const Tensor& x) -> Tensor {
      if (!x.is_meta()) fail<ShapeError>("f", "no");
      return x;
    };
    const auto failures = laws_of(throws_on_data, propagates).failures;
    CHECK(std::any_of(failures.begin(), failures.end(), [](const auto& f) {
      return f.pattern == "[batch, time], without data" &&
             f.what == "declared propagates, but without data it throws: f: no";
    }));
  }

  TEST_CASE("law 4: a mask that is lost") {
    const auto drops = [](const Tensor& x) { return drop_mask(x, "a fault"); };
    CHECK(found(laws_of(drops, propagates), 4, "without a mask"));
    CHECK(found(laws_of(drops, supports), 4, "declared supports"));
  }

  TEST_CASE("law 7: nothing gives NaN, or a gradient") {
    const auto divides = [](const Tensor& x) {
      if (x.is_meta()) return x;
      return x / static_cast<double>(x.has_mask() ? x.mask().valid() : 1) + 0.0;
    };
    CHECK_FALSE(laws_of(divides, propagates));  // statistics over the batch, for law 2 and 5
    const auto per_sequence = [](const Tensor& x) {
      Tensor y = rows::make_zeros({x.is_meta() ? any : x.size(0)}, DType::f64);
      if (x.is_meta()) return rows::make_meta({any}, x.dtype());
      for (std::int64_t s = 0; s < x.size(0) && x.has_mask(); ++s) {
        if (x.mask().lengths()[static_cast<std::size_t>(s)] == 0) {
          rows::of_mutable<double>(y)[static_cast<std::size_t>(s)] = std::nan("");
        }
      }
      return y;
    };
    CHECK(found(laws_of(per_sequence, consumes), 7, "is nan"));
    const auto constant = [](const Inputs& x) {
      if (x[0].is_meta()) return x[0];
      return record("mine", x[0].value(), {x[0], x[1]},
                    [like = x[1].value()](const Tensor& dy, Grads& g) {
                      g.add(0, dy);
                      g.add(1, like * 0 + 1);
                    });
    };
    CHECK(found(laws_with(InputKind::shared, {3}, constant, propagates), 7, "nothing is valid"));
  }

  TEST_CASE("data that the laws cannot run on") {
    const auto f = [](const Tensor& x) { return x; };
    auto run = [&](const std::vector<LawInput>& inputs) {
      return [&f, inputs] { check_mask_laws(f, inputs, propagates); };
    };
    CHECK(throws<TypeError>(run({{"x", InputKind::sequences, ones({2, 3})}}),
                            "input x is f32[2, 3]", "reals as f64"));
    CHECK(
        throws<ShapeError>(run({{"x", InputKind::sequences, sample({3})}}), "expected an axis 1"));
    CHECK(throws<ShapeError>(run({{"x", InputKind::shared, sample({3})}}), "kind sequences"));
    CHECK(throws<ShapeError>(run({{"x", InputKind::sequences, sample({2, 3})},
                                  {"h", InputKind::samples, sample({4, 2})}}),
                             "input h", "size 2 on axis 0"));
    CHECK(found(laws_of([](const Tensor&) { return zeros({7}, DType::f64); }, consumes,
                        {.without_data = "a test"}),
                3, "expected them on its axis 0"));
  }
}

}  // namespace maskgrad::tests::test_law_checks
