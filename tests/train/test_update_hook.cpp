#include <doctest/doctest.h>

#include "throws.hpp"
#include "train/toy.hpp"

namespace maskgrad::tests::test_update_hook {
namespace {

const Progress off = Progress::off;

void scale_gradients(const UpdateEvent& event, double factor) {
  const NoGrad no_grad;
  for (const auto& p : event.parameters) {
    if (p.grad().defined()) p.set_grad(p.grad() * factor, p.grad_count());
  }
}

TEST_CASE("a hook before the update changes the gradients that the update is made of") {
  const Batches batches{toy_data(), {.batch_size = 8}};
  const auto trained = [&](double rate, const std::function<void(const UpdateEvent&)>& hook) {
    Sequential model = toy_model();
    SGD sgd{model.parameters(), {.learning_rate = rate}};
    fit(model, sgd, batches,
        {.loss = toy_loss,
         .epochs = 2,
         .micro_batches = 2,
         .progress = off,
         .before_update = hook});
    return weights_of(model);
  };
  const auto scaled = trained(0.125, [](const UpdateEvent& e) { scale_gradients(e, 2); });
  CHECK(scaled == trained(0.25, {}));  // powers of two: bit by bit
  CHECK(scaled != trained(0.125, {}));
  int calls = 0;
  CHECK(trained(0.25, [&](const UpdateEvent&) { ++calls; }) == scaled);
  CHECK(calls == 10);
  const auto nothing = trained(0.25, [](const UpdateEvent& e) { scale_gradients(e, 0); });
  CHECK(nothing == weights_of(toy_model()));
}

TEST_CASE(
    "a hook before the update sees the gradients of the whole batch, its loss and its place") {
  const Batches batches{toy_data(), {.batch_size = 8, .shuffle = false}};
  Sequential model = toy_model();
  Adam adam{model.parameters()};
  std::vector<double> losses, seen;
  std::vector<std::pair<std::int64_t, std::int64_t>> places;
  fit(model, adam, batches,
      {.loss = toy_loss,
       .epochs = 2,
       .progress = off,
       .before_update =
           [&](const UpdateEvent& event) {
             CHECK(event.parameters.size() == model.parameters().size());
             CHECK(event.parameters[0].grad().defined());
             CHECK(event.parameters[0].grad_count() == event.count);
             CHECK(event.count == 8);
             places.emplace_back(event.epoch, event.step);
             seen.push_back(event.loss);
           },
       .on_step = [&](FitEvent& event) { losses.push_back(event.logs.at("test", "loss")); }});
  CHECK(seen == losses);
  REQUIRE(places.size() == 10);
  CHECK(places.front() == std::pair<std::int64_t, std::int64_t>(1, 1));
  CHECK(places[5] == std::pair<std::int64_t, std::int64_t>(2, 6));
  CHECK(places.back() == std::pair<std::int64_t, std::int64_t>(2, 10));
}

TEST_CASE("a hook before the update comes before clipping, in a loop by hand too") {
  Sequential model = toy_model();
  SGD sgd{model.parameters(), {.learning_rate = 0.1}};
  std::vector<std::int64_t> steps;
  for (const Batch& batch : Batches{toy_data(), {.batch_size = 8}}.epoch(0)) {
    const auto made = train_step(model, sgd, toy_loss, batch,
                                 {.clip_norm = 0.5, .before_update = [&](const UpdateEvent& e) {
                                    CHECK(e.epoch == 0);
                                    steps.push_back(e.step);
                                    scale_gradients(e, 1e6);
                                  }});
    CHECK(made.report.norm == doctest::Approx(0.5));
  }
  CHECK(steps == std::vector<std::int64_t>{1, 2, 3, 4, 5});
}

TEST_CASE("what a hook before the update throws names epoch and step, and leaves all as it was") {
  const Batches batches{toy_data(), {.batch_size = 8}};
  Sequential model = toy_model();
  Adam adam{model.parameters(), {.learning_rate = 0.01}};
  std::vector<double> before;
  const FitOptions options{.loss = toy_loss,
                           .epochs = 3,
                           .schedule = StepDecay{{.every = 1, .factor = 0.5}},
                           .weight_noise = 0.1,
                           .progress = off,
                           .before_update = [&](const UpdateEvent& event) {
                             before = weights_of(model);
                             scale_gradients(event, 3);
                             if (event.step == 7) fail<StateError>("averaging", "rank 2 is gone");
                           }};
  CHECK(throws<StateError>([&] { fit(model, adam, batches, options); },
                           "fit: epoch 2, step 7 (batch 2 of 5): averaging: rank 2 is gone"));
  CHECK(weights_of(model) == before);
  CHECK(adam.steps() == 6);
  CHECK(adam.learning_rate() == 0.01);
  for (const auto& p : model.parameters()) CHECK_FALSE(p.grad().defined());

  const Batch batch = *batches.epoch(0).begin();
  const StepOptions by_hand{.before_update = [](const UpdateEvent& event) {
    scale_gradients(event, 3);
    fail<StateError>("averaging", "rank 2 is gone");
  }};
  CHECK(throws<StateError>([&] { train_step(model, adam, toy_loss, batch, by_hand); }, "rank 2"));
  CHECK(weights_of(model) == before);
  CHECK(adam.steps() == 6);
  for (const auto& p : model.parameters()) CHECK_FALSE(p.grad().defined());
}

}  // namespace
}  // namespace maskgrad::tests::test_update_hook
