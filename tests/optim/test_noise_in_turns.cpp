#include <doctest/doctest.h>

#include "optim/noisy.hpp"

namespace maskgrad::tests::test_noise_in_turns {
namespace {

TEST_SUITE("noise") {
  /// How a step comes by its gradients.
  enum class Way { whole, backwards, accumulate, train_step };

  /// A training whose noise shows in its losses. All have the same layers, paths and seeds.
  class Training {
   public:
    Training(Way way, std::int64_t batch, const Sequential& model)
        : way_(way), x_(some(batch)), model_(model), sgd_(model_.parameters(), {0.1}) {}

    void step() {
      const auto batch = x_.shape()[0];
      if (way_ == Way::train_step) {
        const Tensor target = zeros({batch, 5, 2}, x_.dtype());
        const Batch whole{{x_}, target, {}, std::vector<std::int64_t>(std::size_t(batch)), {}};
        seen_.push_back(
            train_step(model_, sgd_, "mean_squared_error", whole, {.micro_batches = batch}).loss);
        return;
      }
      Accumulate sums(model_.parameters());
      for (std::int64_t from = 0; from < batch;) {
        const auto to = way_ == Way::whole ? batch : from + 1;
        const Loss loss = twice(model_, slice(x_, 0, from, to));
        from = to;
        seen_.push_back(loss.value());
        way_ == Way::accumulate ? sums.add(loss) : loss.backward();
      }
      if (way_ == Way::accumulate) sums.finish();
      sgd_.step();
    }
    const Values& seen() const { return seen_; }

   private:
    Way way_;
    Tensor x_;
    Sequential model_;
    SGD sgd_;
    Values seen_;
  };

  TEST_CASE("trainings that take turns in a thread draw what each draws alone") {
    for (const auto way : {Way::whole, Way::backwards, Way::accumulate, Way::train_step}) {
      for (const auto other : {Way::whole, Way::backwards, Way::accumulate, Way::train_step}) {
        CAPTURE(static_cast<int>(way));
        CAPTURE(static_cast<int>(other));
        Training alone(way, 3, dropping());
        for (int i = 0; i < 6; ++i) alone.step();
        Training other_alone(other, 2, dropping());
        for (int i = 0; i < 3; ++i) other_alone.step();

        const Sequential model = dropping();
        Training first(way, 3, model), second(other, 2, model.clone());
        for (int turn = 0; turn < 3; ++turn) {
          first.step();
          first.step();
          second.step();
        }
        CHECK(first.seen() == alone.seen());
        CHECK(second.seen() == other_alone.seen());
      }
    }
  }

  TEST_CASE("two models in one loss, each with an optimizer, draw what each draws alone") {
    // As in an adversarial training, where a step of one runs the other too.
    const auto losses_of = [](bool with_other) {
      Sequential model = dropping();
      SGD sgd{model.parameters(), {.learning_rate = 0.1}};
      Sequential other = dropping();
      SGD of_other{other.parameters(), {.learning_rate = 0.1}};
      Values losses;
      for (int turn = 0; turn < 3; ++turn) {
        const Loss loss = twice(model, some());
        if (with_other) {
          const Loss theirs = twice(other, some(2));
          (theirs + 0.5 * twice(other, some(2))).backward();
          of_other.step();
        }
        losses.push_back(loss.value());
        loss.backward();
        sgd.step();
        if (with_other) predict(other, some());
      }
      return losses;
    };
    CHECK(losses_of(true) == losses_of(false));
  }

  TEST_CASE("a layer without weights, built by itself, draws anew in each step and in any split") {
    Dropout noise{{.rate = 0.5}};
    build(noise, Spec::f64({any, any, 4}), Seed{2});
    Sequential model = dropping();
    SGD sgd{model.parameters(), {.learning_rate = 0.1}};
    const Tensor x = some();
    const Values whole = dense_values(noise(x));
    mean_squared_error(zeros({3, 5, 2}, DType::f64), model(x)).backward();
    sgd.step();
    CHECK(dense_values(noise(x)) != whole);
    const SGD begins_anew{model.parameters(), {.learning_rate = 0.1}};
    Values parts;
    for (int i = 0; i < 3; ++i) {
      const Tensor part = noise(slice(x, 0, i, i + 1));
      const Values drawn = dense_values(part);
      parts.insert(parts.end(), drawn.begin(), drawn.end());
      mean_squared_error(zeros({1, 5, 2}, DType::f64), model(part)).backward();
    }
    CHECK(parts == whole);
  }
}

}  // namespace
}  // namespace maskgrad::tests::test_noise_in_turns
