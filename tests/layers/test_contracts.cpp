#include <doctest/doctest.h>

#include <type_traits>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_contracts {
namespace {

/// A layer in all but a contract.
struct NoContract {
  static constexpr std::string_view kind = "NoContract";
  Tensor forward(const Tensor& x) const { return x; }
  LayerInfo info{kind, ""};
};

// Without a contract it is no layer, and no model takes it.
static_assert(!Layer<NoContract>);
static_assert(!std::is_constructible_v<AnyLayer, NoContract>);
static_assert(!std::is_constructible_v<Sequential, Dense, NoContract>);
static_assert(std::is_constructible_v<Sequential, Dense, Dense>);
static_assert(Layer<Dense> && Layer<Sequential>);
static_assert(Conv1D::contract.role == MaskRole::unsupported);

Sequential conv_behind_masking() {
  return Sequential{
      Masking{}, Dense{{.units = 5}},
      Sequential{Conv1D{{.filters = 2, .kernel_size = 3, .name = "conv"}}, Dense{{.units = 1}}}};
}

TEST_CASE("a mask query answers for types, names and layers") {
  CHECK(mask_support<GRU>().role() == MaskRole::supports);
  CHECK(mask_support(GRU{{.units = 2}}).role() == MaskRole::consumes);
  CHECK(mask_support(GRU{{.units = 2, .return_sequences = true}}).role() == MaskRole::supports);
  CHECK(mask_support(Embedding{{.input_dim = 3, .output_dim = 2}}).role() == MaskRole::propagates);
  CHECK(mask_support("Conv1D").contract.why.find("padding would leak") != std::string::npos);
  CHECK(mask_support("Conv1D").str().find("mask [batch]                   propagates") !=
        std::string::npos);
  CHECK(throws<OptionError>([] { mask_support("Conv2D"); }, "no layer 'Conv2D'",
                            "did you mean 'Conv1D'?"));
}

TEST_CASE("Conv1D behind Masking is refused in build, with path, shapes, origin and ways out") {
  Sequential model = conv_behind_masking();
  CHECK(throws<MaskError>(
      [&] {
        model.build(Spec::f32({any, any, 16}), Seed{1});
      },
      "Conv1D 'sequential/conv' does not accept a mask (unsupported: a window mixes",
      "f32[any, any, 5], mask [any, any] made by Masking 'masking'", "ways out: MaskedConv1D",
      "x.drop_mask(\"why\")"));
  // Nothing is half-built.
  CHECK(throws<StateError>([&] { model.parameters(); }, "dense", "has no parameters yet"));
}

TEST_CASE("the error's fields name the layer") {
  Sequential model = conv_behind_masking();
  try {
    model.build(Spec::f32({34, 1000, 16}), Seed{1});
    FAIL("no error");
  } catch (const MaskError& e) {
    CHECK(e.layer == "sequential/conv");
    CHECK(e.where == "Conv1D 'sequential/conv'");
    CHECK(std::string(e.what()).find("mask [34, 1000]") != std::string::npos);
  }
}

TEST_CASE("a refusal five levels down names the whole path, and leaves nothing half-built") {
  const auto named = [](std::string name, std::vector<AnyLayer> layers) {
    return Sequential(std::move(layers), std::move(name));
  };
  const Conv1D conv{{.filters = 2, .kernel_size = 3, .name = "smooth"}};
  Functional block("block");
  const auto x = block.input();
  block.outputs({block.add(named("stem", {Dense{{.units = 4}}, conv}), {x})});
  Sequential model =
      named("tagger",
            {Masking{}, named("encoder", {Dropout{{.rate = 0.1}},
                                          named("stack", {LayerNormalization{}, block, ReLU{}})})});
  const std::string path = "tagger/encoder/stack/block/stem/smooth";
  CHECK(throws<MaskError>(
      [&] {
        model.build(Spec::f32({any, any, 16}), Seed{1});
      },
      "Conv1D '" + path + "' does not accept a mask", "input  f32[any, any, 4], mask [any, any]",
      "made by Masking 'tagger/masking'", "ways out: MaskedConv1D"));
  CHECK(throws<StateError>([&] { model.parameters(); }, "has no parameters yet"));
  // Without the mask it is built; then a call is refused in the same words.
  Sequential inner = named("encoder", {named("stack", {LayerNormalization{}, block})});
  inner.build(Spec::f32({any, any, 16}), Seed{1});
  try {
    inner(zeros({2, 5, 16}).with_mask(Mask::from_lengths({5, 3})));
    FAIL("no error");
  } catch (const MaskError& e) {
    CHECK(e.layer == "encoder/stack/block/stem/smooth");
    CHECK(std::string(e.what()).find("mask [2, 5] made by Mask::from_lengths") !=
          std::string::npos);
  }
}

TEST_CASE("Conv1D under a mask [batch] works, and is refused at run time under [batch, time]") {
  Conv1D conv{{.filters = 2, .kernel_size = 3}};
  build(conv, Spec::f64({any, any, 3}).masked(1), Seed{1});
  const Tensor x = random_normal({4, 6, 3}, Seed{2}, DType::f64);
  const Tensor y = conv(x.with_mask(Mask::keep({true, false, true, true}, {4})));
  CHECK(y.shape() == Shape{4, 4, 2});
  CHECK(y.mask().shape() == Shape{4});
  CHECK(throws<MaskError>(
      [&] {
        conv(x.with_mask(Mask::from_lengths({1, 2, 3, 6})));
      },
      "Conv1D 'conv1d' does not accept a mask", "made by Mask::from_lengths"));
}

TEST_CASE("a mask over features is refused by Dense and GRU") {
  Dense dense{{.units = 2}};
  CHECK(throws<MaskError>(
      [&] {
        build(dense, Spec::f32({any, any, 3}).masked(3));
      },
      "Dense 'dense' does not accept a mask over single values"));
  GRU gru{{.units = 2}};
  CHECK(throws<MaskError>([&] { build(gru, Spec::f32({any, any, 3}).masked(3)); }, "GRU 'gru'"));
}

TEST_CASE("mask_flow shows where a mask is made, passed and ended") {
  Sequential model{Masking{}, GRU{{.units = 4, .return_sequences = true}}, GlobalAveragePooling1D{},
                   Dense{{.units = 1}}};
  model.build(Spec::f32({any, any, 3}), Seed{1});
  const auto flow = model.mask_flow().table();
  CHECK(flow.find("masking                   produces") != std::string::npos);
  CHECK(flow.find("global_average_pooling1d  consumes") != std::string::npos);
  CHECK(flow.find("-> f32[any, any, 4] mask [any, any]") != std::string::npos);
}

TEST_CASE("a user's layer joins the list once") {
  register_layer("Mine", {.role = MaskRole::propagates, .why = "a test"});
  CHECK(mask_support("Mine").role() == MaskRole::propagates);
  CHECK(throws<OptionError>(
      [] { register_layer("GRU", {.role = MaskRole::propagates, .why = "a test"}); },
      "there is a layer 'GRU' already"));
}

}  // namespace
}  // namespace maskgrad::tests::test_contracts
