#include <doctest/doctest.h>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_einsum_dense {
namespace {

using Values = std::vector<double>;
using Sizes = std::vector<std::int64_t>;

Tensor counted(const Shape& shape) {
  Values values;
  for (std::int64_t i = 0; i < shape.count(); ++i) values.push_back(static_cast<double>(i));
  return tensor(values, shape);
}

EinsumDense built(EinsumDenseOptions options, const Spec& spec) {
  EinsumDense layer{std::move(options)};
  build(layer, spec, Seed{1});
  return layer;
}

std::vector<Shape> weights(const EinsumDense& layer) {
  std::vector<Shape> shapes;
  for (const auto& p : parameters(layer)) shapes.push_back(p.shape());
  return shapes;
}

TEST_CASE("EinsumDense is Dense where it says so, with and without dots") {
  Dense dense{{.units = 2, .bias_initializer = "ones"}};
  build(dense, Spec::f64({any, any, 3}), Seed{5});
  const Tensor x =
      random_normal({2, 4, 3}, Seed{1}, DType::f64)
          .with_mask(Mask::keep({{true, false, true, true}, {false, false, false, false}}));
  for (const char* equation : {"abc,cd->abd", "...x,xy->...y", " ...x, xy -> ...y "}) {
    CAPTURE(equation);
    const bool dots = std::string(equation).find('.') != std::string::npos;
    EinsumDense layer = built({.equation = equation,
                               .output_shape = dots ? Sizes{2} : Sizes{any, 2},
                               .bias_axes = dots ? "y" : "d"},
                              Spec::f64({any, any, 3}));
    CHECK(weights(layer) == std::vector<Shape>{{3, 2}, {2}});
    for (std::size_t i = 0; i < 2; ++i) parameters(layer)[i].set(parameters(dense)[i].value());
    const Tensor y = layer(x);
    CHECK(y.mask() == x.mask());
    CHECK(max(abs(y - dense(x))).item() < 1e-14);
  }
}

TEST_CASE("EinsumDense: weights and results of other equations") {
  // x [1, 2, 2] = 0..3, kernel [2, 3] = 0..5: over steps, y[a, d, c] = sum of x[a, b, c] k[b, d].
  EinsumDense steps =
      built({.equation = "abc,bd->adc", .output_shape = {3, any}}, Spec::f64({any, 2, 2}));
  parameters(steps)[0].set(counted({2, 3}));
  CHECK(steps(counted({1, 2, 2})).to_vector<double>() == Values{6, 9, 8, 13, 10, 17});

  EinsumDense heads =
      built({.equation = "abc,cde->abde", .output_shape = {any, 2, 4}, .bias_axes = "e"},
            Spec::f64({any, any, 3}));
  CHECK(weights(heads) == std::vector<Shape>{{3, 2, 4}, {4}});
  EinsumDense both =
      built({.equation = "abc,cde->abde", .output_shape = {any, 2, 4}, .bias_axes = "d"},
            Spec::f64({any, any, 3}));
  CHECK(weights(both) == std::vector<Shape>{{3, 2, 4}, {2, 1}});
  // "..." behind: axes that follow are passed on.
  EinsumDense behind = built({.equation = "ab...,bc->ac...", .output_shape = {5}, .bias_axes = "c"},
                             Spec::f64({any, 3, 2, 4}));
  CHECK(weights(behind) == std::vector<Shape>{{3, 5}, {5, 1, 1}});
  CHECK(behind(zeros({2, 3, 2, 4}, DType::f64)).shape() == Shape{2, 5, 2, 4});
  // No letter behind the dots, and the dots for the batch alone.
  EinsumDense flat = built({.equation = "...x,xy->...y", .output_shape = {2}}, Spec::f64({any, 3}));
  CHECK(flat(zeros({4, 3}, DType::f64)).shape() == Shape{4, 2});
}

TEST_CASE("EinsumDense refuses a mask over an axis that it does not pass on") {
  const auto refuses = [](EinsumDenseOptions o, const Spec& spec, std::string_view axis) {
    EinsumDense layer{o};
    CHECK(throws<MaskError>([&] { build(layer, spec); }, "EinsumDense 'einsum_dense'",
                            "\"" + o.equation + "\" does more with axis", axis,
                            "at the same place in the result, and in no weight",
                            "x.drop_mask(\"why\")"));
  };
  const Spec masked = Spec::f64({any, 2, 3}).masked(2);
  refuses({.equation = "abc,bd->adc", .output_shape = {3, any}}, masked, "axis 1 ('b')");
  refuses({.equation = "abc,cd->adb", .output_shape = {4, any}}, masked, "axis 1 ('b')");
  refuses({.equation = "abc,bcd->abd", .output_shape = {any, 4}}, masked, "axis 1 ('b')");
  refuses({.equation = "abc,cd->abd", .output_shape = {any, 4}, .bias_axes = "bd"}, masked,
          "axis 1 ('b')");
  refuses({.equation = "abcd,ce->abde", .output_shape = {any, any, 4}},
          Spec::f64({any, any, 2, 3}).masked(3), "axis 2 ('c')");

  // Once built, it answers so, and under a mask over samples it works.
  EinsumDense layer =
      built({.equation = "abc,bd->adc", .output_shape = {3, any}}, Spec::f64({any, 2, 3}));
  CHECK(contract_of(layer).role == MaskRole::unsupported);
  CHECK(throws<MaskError>(
      [&] {
        layer(zeros({2, 2, 3}, DType::f64).with_mask(Mask::from_lengths({2, 1})));
      },
      "EinsumDense 'einsum_dense' does not accept a mask",
      "its equation does more with steps than pass them on"));
  CHECK(layer(zeros({2, 2, 3}, DType::f64).with_mask(Mask::keep({true, false}, {2})))
            .mask()
            .valid() == 1);
  EinsumDense passes =
      built({.equation = "...x,xy->...y", .output_shape = {2}}, Spec::f64({any, any, any, 3}));
  CHECK(contract_of(passes).role == MaskRole::propagates);
}

TEST_CASE("EinsumDense refuses equations and shapes that do not fit") {
  const auto unread = [](const char* equation) {
    CAPTURE(equation);
    CHECK(throws<OptionError>([&] { EinsumDense{{.equation = equation, .output_shape = {1}}}; },
                              "EinsumDense: the option .equation is", "as \"abc,cd->abd\"",
                              "the batch first in both"));
  };
  for (const char* equation :
       {"", "abc", "abc,cd", "abc->cd,abd", "abc,->ab", "ab1,bc->ac", "...x,xy->y",
        "...x,...xy->...y", "a...c,cd->a...d", "abc,cd->bad", "abc,acd->abd", "x,xy->y"}) {
    unread(equation);
  }
  CHECK(throws<OptionError>([] { EinsumDense{{.equation = "ab,bc->ad", .output_shape = {1}}}; },
                            "'d' stands in one group of \"ab,bc->ad\" alone; expected it in two"));
  CHECK(throws<OptionError>([] { EinsumDense{{.equation = "ab,bz->a", .output_shape = {}}}; },
                            "'z' stands in one group"));
  CHECK(throws<OptionError>([] { make_layer("EinsumDense", R"({"equation": "ab,bc->ac"})"); },
                            ".output_shape is missing"));
  const auto refuses = [](EinsumDenseOptions o, std::string_view text) {
    EinsumDense layer{o};
    CHECK(throws<OptionError>([&] { build(layer, Spec::f64({any, 2, 3})); }, "EinsumDense", text));
  };
  refuses({.equation = "abc,cd->abd", .output_shape = {5, 4}},
          "gives 'b' of \"abc,cd->abd\" the size 5; it is 2 in f64[any, 2, 3]");
  refuses({.equation = "abc,cd->abd", .output_shape = {any, any}},
          "gives 'd' of \"abc,cd->abd\" no size; expected 1 or more");
  refuses({.equation = "abc,cd->abd", .output_shape = {4}},
          "has 1 sizes for \"abc,cd->abd\"; expected one for each letter");
  refuses({.equation = "abc,cd->abd", .output_shape = {any, 4, 4}}, "has 3 sizes");
  refuses({.equation = "abc,cd->abd", .output_shape = {any, 4}, .bias_axes = "c"},
          "the option .bias_axes is \"c\"; expected letters of the result");
  refuses({.equation = "abc,cd->abd", .output_shape = {any, 4}, .bias_axes = "a"},
          ".bias_axes is \"a\"");
  EinsumDense layer{{.equation = "ab,bc->ac", .output_shape = {4}}};
  CHECK(throws<ShapeError>(
      [&] {
        build(layer, Spec::f64({any, 2, 3}));
      },
      "input is f64[any, 2, 3] with 3 axes; \"ab,bc->ac\" names 2"));
}

TEST_CASE("EinsumDense is made from what it describes") {
  const AnyLayer layer = EinsumDense{{.equation = "abc,cd->abd",
                                      .output_shape = {any, 4},
                                      .activation = "relu",
                                      .bias_axes = "d",
                                      .name = "mine"}};
  const auto text = detail::describe_any(layer);
  CHECK(detail::describe_any(detail::layer_from("test", text)) == text);
  AnyLayer read =
      make_layer("EinsumDense", R"({"equation": "abc,cd->abd", "output_shape": [null, 4],
                                                "bias_axes": null})");
  CHECK(read.as<EinsumDense>()->options().output_shape == Sizes{any, 4});
  CHECK(make_layer("EinsumDense", R"({"equation": "ab,bc->ac", "output_shape": 4})")
            .as<EinsumDense>()
            ->options()
            .output_shape == Sizes{4});
}

}  // namespace
}  // namespace maskgrad::tests::test_einsum_dense
