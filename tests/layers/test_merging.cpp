#include <doctest/doctest.h>

#include <cmath>
#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_merging {
namespace {

using Values = std::vector<double>;
using Bits = std::vector<bool>;

Tensor values(const Values& v, const Shape& shape) {
  return tensor(v, shape);
}
const double bad = std::nan("");

TEST_CASE("merging layers: values of two and of three inputs") {
  const Tensor a = values({1, -2, 3}, {1, 3}), b = values({4, 5, -6}, {1, 3}),
               c = values({0, 1, 9}, {1, 3});
  CHECK(Add{}({a, b}).to_vector<double>() == Values{5, 3, -3});
  CHECK(Add{}({a, b, c}).to_vector<double>() == Values{5, 4, 6});
  CHECK(Subtract{}({a, b}).to_vector<double>() == Values{-3, -7, 9});
  CHECK(Multiply{}({a, b, c}).to_vector<double>() == Values{0, -10, -162});
  CHECK(Average{}({a, b, c}).to_vector<double>() == Values{5. / 3, 4. / 3, 2});
  CHECK(Maximum{}({a, b, c}).to_vector<double>() == Values{4, 5, 9});
  CHECK(Minimum{}({a, b, c}).to_vector<double>() == Values{0, -2, -6});
  CHECK(Average{}({a}).to_vector<double>() == a.to_vector<double>());
}

TEST_CASE("merging layers: the AND of different masks, in values and gradients") {
  const Tensor a = values({1, 2, bad}, {1, 3, 1}).with_grad(),
               b = values({10, bad, 30}, {1, 3, 1}).with_grad(),
               c = values({100, 200, 300}, {1, 3, 1}).with_grad();
  const Tensor y = Add{}({a.with_mask(Mask::keep({{true, true, false}})),
                          b.with_mask(Mask::keep({{true, false, true}})), c});
  CHECK(y.mask().to_vector() == Bits{true, false, false});
  CHECK(y.to_vector<double>() == Values{111, 0, 0});
  sum(y * 2).backward();
  for (const auto& x : {a, b, c}) CHECK(x.grad().to_vector<double>() == Values{2, 0, 0});
}

TEST_CASE("merging layers: one unmasked input, and sequences without a valid step") {
  const Tensor a = values({1, 2, 3, 4}, {2, 2, 1}), b = values({5, 6, 7, 8}, {2, 2, 1});
  const Tensor y = Multiply{}({a, b.with_mask(Mask::from_lengths({1, 0}, 2))});
  CHECK(y.mask().to_vector() == Bits{true, false, false, false});
  CHECK(y.to_vector<double>() == Values{5, 0, 0, 0});
  CHECK_FALSE(Multiply{}({a, b}).has_mask());
  const Tensor none = Maximum{}(
      {a.with_mask(Mask::from_lengths({0, 2}, 2)), b.with_mask(Mask::from_lengths({2, 0}, 2))});
  CHECK(none.mask().valid() == 0);
}

TEST_CASE("merging layers: fewer axes stand behind the batch, and sizes of 1 are broadcast") {
  const Tensor steps = values({1, 2, 3, 4, 5, 6, 7, 8}, {2, 2, 2}),
               samples = values({10, 20, 30, 40}, {2, 2});
  CHECK(Add{}({samples, steps}).to_vector<double>() == Values{11, 22, 13, 24, 35, 46, 37, 48});
  const Tensor y = Add{}({steps.with_mask(Mask::from_lengths({1, 2}, 2)),
                          samples.with_mask(Mask::keep({true, false}, {2}))});
  CHECK(y.mask().to_vector() == Bits{true, false, false, false});
  CHECK(y.to_vector<double>() == Values{11, 22, 0, 0, 0, 0, 0, 0});
  const Tensor wide = Subtract{}({steps, values({1, 2, 3, 4}, {2, 2, 1})});
  CHECK(wide.to_vector<double>() == Values{0, 1, 1, 2, 2, 3, 3, 4});
}

TEST_CASE("merging layers refuse other numbers of inputs, batches, sizes and types") {
  const Tensor a = zeros({2, 3}), b = zeros({2, 4});
  CHECK(throws<ShapeError>(
      [&] {
        Subtract{}({a, a, a});
      },
      "Subtract 'subtract': got 3 inputs; expected two"));
  CHECK(throws<ShapeError>([&] { Subtract{}({a}); }, "got 1 inputs; expected two"));
  CHECK(throws<ShapeError>([&] { Add{}({}); }, "Add 'add': got 0 inputs; expected one"));
  CHECK(throws<ShapeError>(
      [&] {
        Add{{.name = "both"}}({a, zeros({1, 3})});
      },
      "Add 'both': inputs are f32[2, 3] and f32[1, 3]; expected [batch, ...], "
      "with the same batch"));
  CHECK(throws<ShapeError>([&] { Add{}({zeros({})}); }, "expected [batch, ...]"));
  CHECK(throws<ShapeError>(
      [&] {
        Maximum{}({a, b});
      },
      "maximum in Maximum 'maximum'", "f32[2, 3] with f32[2, 4]: sizes 3 and 4 on axis 1"));
  CHECK(throws<TypeError>(
      [&] {
        Multiply{}({a, zeros({2, 3}, DType::f64)});
      },
      "multiply in Multiply 'multiply'", "f32", "f64"));
  CHECK(throws<TypeError>([&] { Average{}({zeros({2}, DType::i64)}); }, "i64"));
}

TEST_CASE("Concatenate: along features the AND, along time one mask after the other") {
  const Tensor a = values({1, 2, 3, 4}, {2, 2, 1}), b = values({5, 6, 7, 8}, {2, 2, 1});
  const Tensor x = a.with_mask(Mask::keep({{true, true}, {false, false}})),
               z = b.with_mask(Mask::keep({{false, true}, {true, true}}));
  const Tensor side = Concatenate{}({x, z});
  CHECK(side.mask().to_vector() == Bits{false, true, false, false});
  CHECK(side.to_vector<double>() == Values{0, 0, 2, 6, 0, 0, 0, 0});
  const Tensor after = Concatenate{{.axis = 1}}({x, z, b});
  CHECK(after.shape() == Shape{2, 6, 1});
  CHECK(after.mask().to_vector() == Bits{true, true, false, true, true, true,  //
                                         false, false, true, true, true, true});
  CHECK(after.to_vector<double>() == Values{1, 2, 0, 6, 5, 6, 0, 0, 7, 8, 7, 8});
  CHECK(Concatenate{{.axis = -2}}({a, b}).to_vector<double>() == Values{1, 2, 5, 6, 3, 4, 7, 8});
  CHECK_FALSE(Concatenate{}({a, b}).has_mask());
}

TEST_CASE("Concatenate refuses options and inputs that do not fit") {
  CHECK(throws<OptionError>([] { Concatenate{{.axis = 9}}; },
                            "Concatenate: the option .axis is 9; expected an axis, -8 to 7"));
  CHECK(throws<ShapeError>(
      [] {
        Concatenate{}({zeros({2, 3, 1}), zeros({2, 4, 1})});
      },
      "concatenate in Concatenate 'concatenate': part 0 is f32[2, 3, 1], "
      "part 1 is f32[2, 4, 1]; expected the same sizes on every axis but 2"));
  CHECK(throws<ShapeError>([] { Concatenate{{.axis = 2}}({zeros({2, 3})}); }, "axis 2"));
  CHECK(throws<TypeError>(
      [] {
        Concatenate{}({zeros({2, 3}), zeros({2, 3}, DType::f64)});
      },
      "f32", "f64"));
}

TEST_CASE("Dot: Keras's axes, and vectors of length 1") {
  const Tensor a = values({1, 2, 3, 4}, {2, 2}), b = values({5, 6, 7, 8}, {2, 2});
  const Tensor y = Dot{{.axes = 1}}({a, b});
  CHECK(y.shape() == Shape{2, 1});
  CHECK(y.to_vector<double>() == Values{17, 53});
  const Tensor cosine = Dot{{.axes = -1, .normalize = true}}({a, b});
  CHECK(cosine.item({0, 0}) == doctest::Approx(17 / std::sqrt(5. * 61)));
  CHECK(Dot{{.axes = 1, .normalize = true}}({zeros({1, 2}), ones({1, 2})}).item() == 0);

  const Tensor m = values({1, 2, 3, 4, 5, 6}, {1, 2, 3}), n = values({1, 0, 0, 1, 1, 1}, {1, 3, 2});
  CHECK(Dot{{.axes = {2, 1}}}({m, n}).to_vector<double>() == Values{4, 5, 10, 11});
  CHECK(Dot{{.axes = {1, 2}}}({m, n}).shape() == Shape{1, 3, 3});
  CHECK(Dot{{.axes = {1, 2}}}({m, n}).to_vector<double>() == Values{1, 4, 5, 2, 5, 7, 3, 6, 9});
}

TEST_CASE("Dot: the mask of the rows that lead the result, by a mask over samples") {
  const Tensor steps =
      values({1, 2, bad, bad, 5, 6, 7, 8}, {2, 2, 2}).with_mask(Mask::from_lengths({1, 2}, 2));
  const Tensor samples = values({1, 1, 2, 2}, {2, 2});
  for (const Tensor& y :
       {Dot{{.axes = {2, 1}}}({steps, samples}), Dot{{.axes = {1, 2}}}({samples, steps})}) {
    CHECK(y.mask().to_vector() == Bits{true, false, true, true});
    CHECK(y.to_vector<double>() == Values{3, 0, 22, 30});
  }
  const Tensor y =
      Dot{{.axes = {2, 1}}}({steps, samples.with_mask(Mask::keep({false, true}, {2}))});
  CHECK(y.mask().to_vector() == Bits{false, false, true, true});
}

TEST_CASE("Dot refuses to sum over or pair masked steps, and names attention") {
  Functional model;
  const auto x = model.input("x"), z = model.input("z");
  model.outputs({model.add(Dot{{.axes = 2, .name = "scores"}}, {x, z})});
  const Spec masked = Spec::f32({any, any, 4}).masked(2);
  CHECK(throws<MaskError>(
      [&] {
        model.build({masked, masked});
      },
      "Dot 'scores' does not accept a mask (unsupported: it would pair the "
      "masked steps of two inputs)",
      "f32[any, any, 4], mask [any, any]", "attention(q, k, v)", "x.drop_mask(\"why\")"));
  CHECK(throws<MaskError>(
      [&] {
        model.build({Spec::f32({any, any, 4}), masked});
      },
      "the masked steps of the second input would stand behind the axes of the "
      "first",
      "the masked input first"));
  model.build({masked, Spec::f32({any, any, 4})});
  Dot over_time{{.axes = 1}};
  const Tensor steps = zeros({2, 3, 4}).with_mask(Mask::from_lengths({1, 3}));
  CHECK(throws<MaskError>(
      [&] {
        over_time({steps, steps});
      },
      "it would sum over masked steps", "Attention, MultiHeadAttention"));
  CHECK(throws<MaskError>(
      [&] {
        over_time({zeros({1, 2}).with_mask(Mask::keep({{true, false}})), zeros({1, 2})});
      },
      "Dot 'dot' does not accept a mask over single values"));
}

TEST_CASE("Dot refuses options and inputs that do not fit") {
  CHECK(throws<OptionError>([] { Dot{{.axes = {1, 2, 1}}}; }, "Dot: the option .axes has 3 axes"));
  CHECK(throws<OptionError>([] { Dot{{.axes = {1, 0}}}; }, ".axes has 0, the batch"));
  CHECK(throws<OptionError>([] { Dot{{.axes = 8}}; }, ".axes is 8; expected an axis"));
  CHECK(throws<OptionError>([] { make_layer("Dot"); }, "the option .axes is missing"));
  CHECK(throws<OptionError>([] { make_layer("Dot", R"({"axes": "2"})"); }, "expected an integer"));
  Dot dot{{.axes = -1}};
  const Tensor a = zeros({2, 3}), b = zeros({2, 4});
  CHECK(throws<ShapeError>([&] { dot({a}); }, "Dot 'dot': got 1 inputs; expected two"));
  CHECK(throws<ShapeError>(
      [&] {
        dot({a, b});
      },
      "Dot 'dot': inputs are f32[2, 3] and f32[2, 4], summed over axes "
      "1 and 1; expected axes of the same size"));
  CHECK(throws<ShapeError>([&] { Dot{{.axes = -2}}({a, a}); }, "summed over axes 0 and 0"));
  CHECK(throws<ShapeError>([&] { Dot{{.axes = 2}}({a, a}); }, "axis 2"));
  CHECK(throws<ShapeError>([&] { dot({a, zeros({1, 3})}); }, "with the same batch"));
  CHECK(throws<TypeError>([&] { dot({a, zeros({2, 3}, DType::f64)}); }, "f32", "f64"));
}

TEST_CASE("a functional model of merging layers is rebuilt from its description") {
  Functional model;
  const auto x = model.input("x"), z = model.input("z");
  const auto both = model.add(Concatenate{}, {x, z});
  const auto all = model.add(Add{}, {model.add(Dense{{.units = 2}}, {both}), x, z});
  model.outputs({model.add(Concatenate{{.axis = 1}}, {all, z}),
                 model.add(Dot{{.axes = {2, 1}}}, {all, model.add(LastStep{}, {z})})});
  const std::vector<Spec> specs{Spec::f64({any, any, 2}).masked(2), Spec::f64({any, any, 2})};
  const Tensors metas = model.build(specs, Seed{1});
  CHECK(metas[0].describe() == "f64[any, any, 2], mask [any, any] made by the specification");
  Functional copy = model_from<Functional>(describe(model));
  CHECK(describe(copy) == describe(model));
  copy.build(specs, Seed{1});
  const Tensor a = random_normal({2, 3, 2}, Seed{1}, DType::f64)
                       .with_mask(Mask::keep({{true, false, true}, {false, false, false}}));
  const Tensor b = random_normal({2, 3, 2}, Seed{2}, DType::f64);
  const Tensors there = model({a, b}), here = copy({a, b});
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(there[i].to_vector<double>() == here[i].to_vector<double>());
    CHECK(there[i].mask() == here[i].mask());
  }
  CHECK(there[1].mask() == a.mask());
}

}  // namespace
}  // namespace maskgrad::tests::test_merging
