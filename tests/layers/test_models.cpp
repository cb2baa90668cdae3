#include <doctest/doctest.h>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_models {
namespace {

Sequential small(std::int64_t features = 3) {
  Sequential model{Masking{}, GRU{{.units = 4, .return_sequences = true}}, Dense{{.units = 2}}};
  model.build(Spec::f64({any, any, features}), Seed{1});
  return model;
}

Tensor some(const Shape& shape) {
  return random_normal(shape, Seed{5}, DType::f64);
}

/// A model written as plain code: one layer twice, and a sum of two ways.
struct Tagger {
  Embedding embed{{.input_dim = 9, .output_dim = 4, .mask_zero = true}};
  Dense mix{{.units = 4, .activation = "tanh"}};
  GRU gru{{.units = 4, .return_sequences = true}};
  Dense head{{.units = 3}};

  Tensor operator()(const Tensor& ids) {
    const Tensor x = mix(embed(ids));
    return head(gru(x) + mix(x));
  }
  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    f("embed", self.embed);
    f("mix", self.mix);
    f("gru", self.gru);
    f("head", self.head);
  }
};

TEST_CASE("weights depend on the seed and their paths, and have Keras's names") {
  const Sequential a = small(), b = small();
  const auto p = a.parameters(), q = b.parameters();
  REQUIRE(p.size() == 5);
  CHECK(p[0].name() == "gru/kernel");
  CHECK(p[1].name() == "gru/recurrent_kernel");
  CHECK(p[2].name() == "gru/bias");
  CHECK(p[2].shape() == Shape{2, 12});
  CHECK(p[3].name() == "dense/kernel");
  for (std::size_t i = 0; i < p.size(); ++i) {
    CHECK(p[i].value().to_vector<double>() == q[i].value().to_vector<double>());
    CHECK(!p[i].same(q[i]));
  }
}

TEST_CASE("a copy shares its weights, a clone does not, and parameters outlive a move") {
  Sequential model = small();
  const auto parameters = model.parameters();
  Sequential copy = model, clone = model.clone();
  Sequential moved = std::move(model);
  parameters[3].set(zeros({4, 2}, DType::f64));
  parameters[4].set(ones({2}, DType::f64));
  const Tensor x = some({2, 3, 3});
  CHECK(copy.predict(x).item({0, 0, 0}) == 1);
  CHECK(moved.predict(x).item({1, 2, 1}) == 1);
  CHECK(clone.predict(x).item({0, 0, 0}) != 1);
}

TEST_CASE("a model of plain code is built, named, cloned and checked like any other") {
  Tagger tagger;
  const auto outputs = build(tagger, Spec::ids({any, any}), Seed{3});
  CHECK(outputs[0].describe() == "f32[any, any, 3], mask [any, any] made by Embedding 'embed'");
  const auto p = parameters(tagger);
  CHECK(p.size() == 1 + 2 + 3 + 2);
  CHECK(p[1].name() == "mix/kernel");
  const Tensor ids = tensor<std::int64_t>({3, 8, 0, 1, 0, 0, 0, 0, 0}, {3, 3});
  const auto report = gradcheck(tagger, ids);
  CHECK_MESSAGE(static_cast<bool>(report), report.str());
}

TEST_CASE("a failed build leaves a model as it was, and a built one keeps its weights") {
  Sequential model = small();
  const auto before = model.parameters()[0].value().to_vector<double>();
  CHECK(throws<ShapeError>(
      [&] {
        model.build(Spec::f64({any, any, 7}), Seed{9});
      },
      "GRU 'gru': input is f64[any, any, 7]", "its last axis must be 3"));
  model.build(Spec::f64({any, any, 3}), Seed{9});
  CHECK(model.parameters()[0].value().to_vector<double>() == before);
}

TEST_CASE("bad input is named: rank, sizes, types, masks, ids, unbuilt, meta") {
  Sequential model = small();
  CHECK(throws<ShapeError>(
      [&] {
        model(some({4, 3}));
      },
      "input is f64[4, 3]", "expected 3, [batch, time, features]"));
  CHECK(throws<ShapeError>([&] { model(some({2, 5, 4})); }, "f64[2, 5, 4]", "must be 3"));
  CHECK(throws<TypeError>(
      [&] {
        model(cast(some({2, 5, 3}), DType::f32));
      },
      "GRU 'gru'", "f32", "f64", "expected one element type"));
  CHECK(throws<MaskError>(
      [&] {
        some({2, 5, 3}).with_mask(Mask::from_lengths({1, 2, 3}));
      },
      "a mask [3, 3]", "f64[2, 5, 3]", "such as [2, 5]"));

  Embedding embedding{{.input_dim = 4, .output_dim = 2}};
  build(embedding, Spec::ids({any, any}));
  CHECK(throws<IndexError>(
      [&] {
        embedding(tensor<std::int64_t>({1, 2, 3, 4}, {2, 2}));
      },
      "Embedding 'embedding'", "4", "[1, 1]"));
  CHECK(throws<TypeError>([&] { embedding(zeros({2, 2})); }, "f32[2, 2]", "i64"));

  Sequential unbuilt{Dense{{.units = 2}}};
  CHECK(throws<StateError>([&] { unbuilt(zeros({2, 3})); }, "Dense 'dense'", "build("));
  CHECK(throws<StateError>([&] { unbuilt.parameters(); }, "Dense 'dense' has no parameters yet"));
  CHECK(throws<StateError>([&] { unbuilt.mask_flow(); }, "not built yet"));
  CHECK(throws<StateError>(
      [&] {
        Spec::f32({any, 3}).meta().to_vector<float>();
      },
      "f32[any, 3] is a meta tensor"));
  CHECK(throws<ShapeError>(
      [&] {
        unbuilt.build(Spec::f32({any, any}));
      },
      "Dense 'dense'", "known number of features"));
}

TEST_CASE("options out of range are named before anything is built") {
  CHECK(
      throws<OptionError>([] { Dense{{}}; }, "Dense: the option .units is 0; expected 1 or more"));
  CHECK(throws<OptionError>([] { Dropout{{.rate = 1}}; }, "the option .rate is 1"));
  CHECK(throws<OptionError>([] { (void)Dense{{.units = 2, .activation = "rleu"}}; }, "'rleu'",
                            "relu"));
  CHECK(throws<OptionError>([] { (void)Dense{{.units = 2, .kernel_initializer = "glorot"}}; },
                            "'glorot'", "glorot_uniform"));
  CHECK(throws<OptionError>([] { (void)GRU{{.units = 2, .name = "a/b"}}; }, "'a/b'", "'/'"));
  CHECK(throws<OptionError>(
      [] {
        Sequential{Dense{{.units = 1, .name = "a"}}, Dense{{.units = 1, .name = "a"}}};
      },
      "two layers are named 'a'"));
}

TEST_CASE("an empty batch, no steps, and only empty sequences give defined values") {
  Sequential model{GRU{{.units = 4}}, Dense{{.units = 2}}};
  model.build(Spec::f64({any, any, 3}), Seed{1});
  CHECK(model(some({0, 5, 3})).shape() == Shape{0, 2});
  const Tensor none = model(some({2, 0, 3}));
  CHECK(none.mask().valid() == 0);
  const Tensor x = some({2, 5, 3}).with_grad();
  const Tensor empty = model(x.with_mask(Mask::from_lengths({0, 0}, 5)));
  CHECK(empty.describe().find("mask [2]") != std::string::npos);
  const Loss loss = mean_squared_error(zeros({2, 2}, DType::f64), empty);
  CHECK(loss.value() == 0);
  CHECK(loss.count() == 0);
  loss.backward();
  for (double g : x.grad().to_vector<double>()) CHECK(g == 0);
  Adam adam{model.parameters()};
  const auto before = model.parameters()[0].value().to_vector<double>();
  const auto report = adam.step();
  CHECK(!report.applied);
  CHECK(report.str().find("no valid position") != std::string::npos);
  CHECK(adam.steps() == 0);
  CHECK(model.parameters()[0].value().to_vector<double>() == before);
}

TEST_CASE("GRU gives its state, takes an initial one, and runs backwards in Keras's order") {
  GRU gru{{.units = 3, .return_sequences = true, .return_state = true}};
  build(gru, Spec::f64({any, any, 2}), Seed{4});
  const Tensor x = some({2, 4, 2}).with_mask(Mask::from_lengths({4, 2}));
  const auto both = call(gru, Tensors{x});
  REQUIRE(both.size() == 2);
  CHECK(both[1].item({1, 2}) == both[0].item({1, 1, 2}));
  const auto [output, state] = gru.with_state(x, both[1]);
  CHECK(output.item({0, 0, 0}) != both[0].item({0, 0, 0}));
  CHECK(throws<ShapeError>(
      [&] {
        gru.with_state(x, zeros({2, 5}, DType::f64));
      },
      "initial state", "[2, 5]", "[2, 3]"));

  GRU back{{.units = 3, .return_sequences = true, .go_backwards = true}};
  build(back, Spec::f64({any, any, 2}), Seed{4});
  for (std::size_t i = 0; i < 3; ++i) parameters(back)[i].set(parameters(gru)[i].value());
  const Tensor reversed = gru(reverse(x)), run_back = back(x);
  CHECK(max(abs(reversed - run_back)).item() < 1e-14);
}

TEST_CASE("the fused GRU equals the one that runs step by step") {
  for (const bool reset_after : {true, false}) {
    GRU fused{{.units = 3, .return_sequences = true, .reset_after = reset_after}};
    // Recurrent dropout, of next to nothing, is only there step by step.
    GRU steps{{.units = 3,
               .recurrent_dropout = 1e-12,
               .return_sequences = true,
               .reset_after = reset_after}};
    build(fused, Spec::f64({any, any, 2}), Seed{4});
    build(steps, Spec::f64({any, any, 2}), Seed{4});
    for (std::size_t i = 0; i < 3; ++i) parameters(steps)[i].set(parameters(fused)[i].value());
    const Tensor x = some({3, 4, 2}).with_mask(Mask::keep(
        {{true, false, true, true}, {false, false, false, false}, {true, true, false, false}}));
    const Tensor a = fused(x), b = steps(x);
    CHECK(a.mask() == b.mask());
    CHECK(max(abs(a - b)).item() < 1e-10);
  }
}

}  // namespace
}  // namespace maskgrad::tests::test_models
