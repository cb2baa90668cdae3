#include "throws.hpp"
#include "train/toy.hpp"

namespace maskgrad::tests::test_suspicions {
namespace {

const Progress off = Progress::off;

/// Sequences of one step with these features, and a target.
Dataset data_of(const Tensor& x, const Tensor& y) {
  return Dataset::from_memory({x}, y);
}

/// Trains a Dense layer on the last axis for one epoch.
History run(const Dataset& data, std::int64_t units, const std::string& activation,
            TrainingLoss loss, std::int64_t batch = 64) {
  Sequential model{Dense{{.units = units, .activation = activation}}};
  model.build(Spec::f32({any, 3}), Seed{1});
  SGD sgd{model.parameters(), {.learning_rate = 1e-3}};
  return fit(model, sgd, Batches{data, {.batch_size = batch, .shuffle = false}},
             {.loss = std::move(loss), .progress = off});
}

const Tensor x16 = random_normal({16, 3}, Seed{4});

Tensor labels(std::int64_t classes) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < 16; ++i) all.push_back(i % classes);
  return tensor(all, {16});
}

Tensor numbers(double low, double high) {
  std::vector<double> all;
  for (std::int64_t i = 0; i < 16; ++i) all.push_back(i % 2 == 0 ? low : high);
  return cast(tensor(all, {16, 1}), DType::f32);
}

TEST_CASE("what a first step shows to be odd is said once, and what is usual is not") {
  const char* sparse = "sparse_categorical_crossentropy";
  const TrainingLoss told{sparse, R"({"from_logits": false})"};
  const auto by_class = data_of(x16, labels(3));
  CHECK(run(by_class, 3, "linear", sparse).notes.empty());
  CHECK(run(by_class, 3, "softmax", told).notes.empty());
  CHECK(said(run(by_class, 3, "softmax", sparse),
             "the predictions look like probabilities (the last "
             "layer's activation is 'softmax'), and "
             "sparse_categorical_crossentropy takes logits"));
  CHECK(said(run(data_of(x16, zeros({16}, DType::i64)), 3, "linear", sparse),
             "all 16 labels of the first step are 0"));

  const auto truths = data_of(x16, numbers(0, 1));
  CHECK(run(truths, 1, "linear", "binary_crossentropy").notes.empty());
  CHECK(
      said(run(truths, 1, "sigmoid", "BinaryCrossentropy"), "takes logits: leave out the sigmoid"));
  CHECK(said(run(data_of(x16, numbers(1, 1)), 1, "linear", "binary_crossentropy"),
             "all 16 labels of the first step are 1"));

  // Of a large output a part is looked at, whole positions of it.
  const std::int64_t wide = (std::int64_t{1} << 20) / 3;
  CHECK(said(run(data_of(x16, labels(3)), wide, "softmax", sparse), "look like probabilities"));

  const auto far = data_of(x16, numbers(-3, 4));
  CHECK(run(far, 1, "linear", "mean_squared_error").notes.empty());
  CHECK(said(run(far, 1, "tanh", "mean_squared_error"),
             "the targets are from -3 to 4, which the last layer's activation 'tanh' never gives"));
  CHECK(run(truths, 1, "sigmoid", "mean_squared_error").notes.empty());
  CHECK(said(run(far, 1, "softplus", "poisson"),
             "a target is -3; poisson is of numbers of 0 or more"));
  const Tensor both = cast(ones({16, 3}), DType::f32);
  CHECK(
      said(run(data_of(x16, both), 3, "linear", "categorical_crossentropy"), "do not add up to 1"));
}

TEST_CASE("what cannot be meant is refused at the first step, with nothing applied") {
  const auto signs = data_of(x16, numbers(-1, 1));
  CHECK(throws<OptionError>([&] { run(signs, 1, "linear", "binary_crossentropy"); },
                            "fit: epoch 1, step 1 (batch 1 of 1): binary_crossentropy: the targets "
                            "are from -1 to 1; expected 0 and 1",
                            "(y + 1) / 2"));
  const TrainingLoss told{"binary_crossentropy", R"({"from_logits": false})"};
  const auto truths = data_of(10.0 * x16, numbers(0, 1));
  CHECK(throws<OptionError>([&] { run(truths, 1, "linear", told); }, "the predictions are from",
                            "End the model with 'sigmoid', or leave from_logits true"));
  const TrainingLoss sparse{"sparse_categorical_crossentropy", R"({"from_logits": false})"};
  CHECK(throws<OptionError>([&] { run(data_of(x16, labels(3)), 3, "linear", sparse); },
                            "End the model with 'softmax'"));
  CHECK(run(data_of(x16, (numbers(-1, 1) + 1) / 2), 1, "linear", "binary_crossentropy")
            .notes.empty());
}

TEST_CASE("class weights are one for each class") {
  const Tensor y = labels(3), p = random_normal({16, 3}, Seed{1});
  for (const std::int64_t count : {2, 4}) {
    const SparseCrossentropyOptions options{.class_weight = ones({count})};
    CHECK(throws<ShapeError>([&] { sparse_categorical_crossentropy(y, p, options); },
                             "the class weights are f32[", "one for each of the 3 classes"));
    CHECK(
        throws<ShapeError>([&] { categorical_crossentropy(p, p, {.class_weight = ones({count})}); },
                           "one for each of the 3 classes"));
  }
}

}  // namespace
}  // namespace maskgrad::tests::test_suspicions
