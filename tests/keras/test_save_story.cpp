#include <doctest/doctest.h>

#include "keras/keras_files.hpp"

// What the lint says of a file that is written here.

namespace maskgrad::tests::test_save_story {
namespace {

using files::TemporaryFolder;

/// The question that many have: which of these layers respects the Masking before it?
Sequential question(bool convolution) {
  std::vector<AnyLayer> layers = {
      AnyLayer(Masking{}), AnyLayer(GRU{{.units = 4, .return_sequences = true, .name = "gru"}}),
      AnyLayer(BatchNormalization{})};
  if (convolution) {
    layers.push_back(AnyLayer(
        MaskedConv1D{{.filters = 3, .kernel_size = 3, .padding = "same", .name = "conv1d"}}));
  }
  layers.push_back(AnyLayer(Activation{{.activation = "relu"}}));
  layers.push_back(AnyLayer(Dense{{.units = 2, .activation = "softmax", .name = "out"}}));
  Sequential model(std::move(layers), "question");
  model.build(Spec::f32({any, any, 3}), Seed{1});
  return model;
}

using Story = std::vector<std::string>;

/// A line for each layer: its class, whether a mask comes in, what it does.
Story story_of(const Lint& found) {
  Story made;
  for (const auto& call : found.calls) {
    made.push_back(
        fmt::format("{} {}: {}", call.class_name, call.mask_in ? "masked" : "bare", call.does));
  }
  return made;
}

TEST_CASE("what Masking, GRU, BatchNormalization, Conv1D and activations do in Keras is told") {
  const TemporaryFolder folder;
  save_keras(question(true), folder / "q.keras");
  const Lint found = lint(folder / "q.keras");
  CHECK(story_of(found) == Story{"Masking bare: makes", "GRU masked: reads, passes",
                                 "BatchNormalization masked: passes", "Conv1D masked: drops",
                                 "Activation bare: none", "Dense bare: none"});
  CHECK(found.says ==
        "Mask made by Masking 'masking', read by GRU 'gru'. Conv1D 'conv1d' drops it.");
  CHECK(found.mask_dropped_by == Story{"conv1d"});
  CHECK(found.output_carries_mask == std::vector<std::pair<std::string, bool>>{{"out", false}});
  CHECK(found.padding_reaches_result == true);
  REQUIRE(found.proof.size() == 1);
  CHECK(*found.proof[0].alone > 1e-4);  // the convolution reads past the end of a sequence
  REQUIRE(found.what_to_do.size() == 1);
  CHECK(found.what_to_do[0].starts_with("Conv1D 'conv1d': Keras has no layer that reads the mask"));
  CHECK(found.status() == 1);
}

TEST_CASE("without the convolution the mask reaches the output, and padding no result") {
  const TemporaryFolder folder;
  save_keras(question(false), folder / "q.keras");
  const Lint found = lint(folder / "q.keras");
  CHECK(story_of(found) == Story{"Masking bare: makes", "GRU masked: reads, passes",
                                 "BatchNormalization masked: passes", "Activation masked: passes",
                                 "Dense masked: passes"});
  CHECK(found.output_carries_mask == std::vector<std::pair<std::string, bool>>{{"out", true}});
  REQUIRE(found.proof.size() == 1);
  CHECK(*found.proof[0].alone < 1e-9);
  CHECK(*found.proof[0].large == 0);
  CHECK(*found.proof[0].nan == 0);
  REQUIRE(found.what_to_do.size() == 1);
  CHECK(found.what_to_do[0].starts_with("out: the loss must read its mask"));
  CHECK(found.status() == 0);
}

}  // namespace
}  // namespace maskgrad::tests::test_save_story
