#include <doctest/doctest.h>

#include <algorithm>

#include "throws.hpp"
#include "train/toy.hpp"

namespace maskgrad::tests::test_batch_invariant {
namespace {

const std::vector<std::int64_t> lengths{7, 0, 33, 1, 12, 20, 5};

/// Layers that cross steps, with weights in all ways that a layer has them; no noise.
std::vector<Sequential> models() {
  std::vector<Sequential> all;
  all.push_back(Sequential{GRU{{.units = 19}}, Dense{{.units = 2}}});
  all.push_back(Sequential{Bidirectional{LSTM{{.units = 9, .return_sequences = true}}},
                           LayerNormalization{}, GlobalAveragePooling1D{}, Dense{{.units = 2}}});
  all.push_back(Sequential{MaskedConv1D{{.filters = 11, .kernel_size = 3, .padding = "same"}},
                           PReLU{{.shared_axes = {{1}}}},
                           TransformerEncoder{{.intermediate_dim = 22, .num_heads = 1}},
                           GlobalMaxPooling1D{}, Dense{{.units = 2}}});
  for (auto& model : all) model.build(Spec::f32({any, any, 3}).masked(2), Seed{4});
  return all;
}

Batch batch_of(const std::vector<std::int64_t>& samples) {
  return toy_data(lengths).batch(samples);
}

using Values = std::vector<float>;

/// Zeros where no valid row reached a parameter.
std::vector<Values> gradients(const Sequential& model) {
  std::vector<Values> all;
  for (const auto& p : model.parameters()) {
    all.push_back(p.grad().defined() ? p.grad().to_vector<float>()
                                     : Values(static_cast<std::size_t>(p.value().shape().count())));
    p.clear_grad();
  }
  return all;
}

/// What one sequence gives when it is all there is.
struct Alone {
  Values outputs;
  std::vector<Values> gradients;
};

}  // namespace

TEST_SUITE("laws") {
  TEST_CASE("batch_invariant: outputs and gradients are bit by bit those of each sequence alone") {
    const TrainingLoss loss{toy_loss, R"({"from_logits": true, "reduction": "sum"})"};
    for (Sequential& model : models()) {
      CAPTURE(model.summary());
      const auto gradient = [&](const Batch& batch) {
        compute_gradients(model, loss, batch, {.batch_invariant = true});
        return gradients(model);
      };
      std::vector<Alone> alone;
      for (std::int64_t s = 0; s < std::ssize(lengths); ++s) {
        const Batch one = batch_of({s});
        alone.push_back({model.predict(one.inputs[0]).to_vector<float>(), gradient(one)});
      }
      for (const std::vector<std::int64_t>& samples :
           {std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6}, {6, 2, 4}, {1, 3}, {5, 5}}) {
        const Batch batch = batch_of(samples);
        const Tensor outputs = model.predict(batch.inputs[0], {.batch_invariant = true});
        Values expected;
        auto sums = alone[static_cast<std::size_t>(samples[0])].gradients;
        for (std::size_t i = 0; i < samples.size(); ++i) {
          const Alone& one = alone[static_cast<std::size_t>(samples[i])];
          expected.insert(expected.end(), one.outputs.begin(), one.outputs.end());
          for (std::size_t k = 0; i > 0 && k < sums.size(); ++k) {
            std::ranges::transform(sums[k], one.gradients[k], sums[k].begin(), std::plus<float>());
          }
        }
        CHECK(outputs.to_vector<float>() == expected);
        CHECK(gradient(batch) == sums);
      }
    }
  }
}

TEST_CASE("without batch_invariant a sequence's outputs are the same to rounding") {
  for (Sequential& model : models()) {
    const Tensor all = model.predict(batch_of({0, 1, 2, 3, 4, 5, 6}).inputs[0]);
    for (std::int64_t s = 0; s < std::ssize(lengths); ++s) {
      const Tensor one = model.predict(batch_of({s}).inputs[0]);
      if (one.has_mask() && one.mask().valid() == 0) continue;
      for (std::int64_t k = 0; k < 2; ++k) {
        CHECK(all.item({s, k}) == doctest::Approx(one.item({0, k})).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("batch_invariant: fit and evaluate give the same results in whatever batches") {
  const Dataset data = toy_data(lengths);
  const auto trained = [&](bool batch_invariant, std::int64_t size) {
    Sequential model = std::move(models()[0]);
    SGD sgd{model.parameters(), {.learning_rate = 0.1}};
    const Batches all{data, {.batch_size = std::ssize(lengths), .shuffle = false}};
    const auto history = fit(model, sgd, all,
                             {.loss = toy_loss,
                              .validation = Batches{data, {.batch_size = size, .shuffle = false}},
                              .batch_invariant = batch_invariant,
                              .progress = Progress::off});
    return std::pair{weights_of(model), history.last("val_loss")};
  };
  CHECK(trained(true, 1) == trained(true, 7));
  CHECK(trained(true, 7).first != trained(false, 7).first);
}

TEST_CASE("batch_invariant refuses what has no batch, and state that goes from batch to batch") {
  Sequential model{GRU{{.units = 3, .stateful = true}}, Dense{{.units = 2}}};
  model.build(Spec::f32({any, any, 3}).masked(2));
  const Batch batch = batch_of({0, 2});
  CHECK(throws<OptionError>(
      [&] { compute_gradients(model, toy_loss, batch, {.batch_invariant = true}); },
      "train_step: batch_invariant is true, and GRU 'gru' carries its state"));
  CHECK(throws<OptionError>([&] { model.predict(batch.inputs[0], {.batch_invariant = true}); },
                            "predict: batch_invariant is true, and GRU 'gru' carries its state"));
  CHECK(throws<OptionError>(
      [&] { evaluate(model, Batches{toy_data(lengths)}, toy_loss, {}, {.batch_invariant = true}); },
      "batch_invariant is true, and GRU 'gru' carries its state"));

  Sequential sums = std::move(models()[0]);
  const Tensor nothing = zeros({0, 4, 3}).with_mask(Mask::from_lengths({}, 4));
  CHECK(sums.predict(nothing, {.batch_invariant = true}).shape() == Shape{0, 2});
}

}  // namespace maskgrad::tests::test_batch_invariant
