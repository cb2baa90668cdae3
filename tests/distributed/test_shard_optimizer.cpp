#include <doctest/doctest.h>

#include "distributed/runs.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_shard_optimizer {
TEST_CASE(
    "an optimizer whose state is shared over ranks gives the same bits, and whole checkpoints") {
  const Trained alone = Training{}.run({.communicator = Communicator::alone()});
  for (const int size : {2, 4, 8}) {
    CAPTURE(size);
    for (const Trained& rank : on_ranks({}, size, {.shard_optimizer = true})) CHECK(rank == alone);
  }
  const files::TemporaryFolder folder;
  const Trained whole = Training{.epochs = 4}.run({.communicator = Communicator::alone()});
  int size = 4;
  for (std::int64_t epochs = 1; epochs <= 4; ++epochs) {
    // In parts, whole, in parts of others: each goes on from what was there.
    const auto all = on_ranks({.epochs = epochs, .folder = folder.path()}, size,
                              {.shard_optimizer = epochs % 2 == 1});
    size = epochs == 1 ? 2 : epochs == 2 ? 8 : 1;
    if (epochs == 4) CHECK(all[0].weights == whole.weights);
  }
}

TEST_CASE("each rank holds and steps a part, which is made whole on demand") {
  const Batch batch = uneven_data().batch({1, 2, 3, 4, 5, 7, 8, 9});
  Sequential alone = toy_model();
  Adam of_alone{alone.parameters(), {.amsgrad = true}};
  for (int i = 0; i < 3; ++i) {
    train_step(alone, of_alone, toy_loss, batch,
               {.ranks = {.communicator = Communicator::alone()}});
  }
  run_ranks(4, [&](const Communicator& ranks) {
    Sequential model = toy_model();
    Adam adam{model.parameters(), {.amsgrad = true}};
    const StepOptions options{.ranks = {.communicator = ranks, .shard_optimizer = true}};
    for (int i = 0; i < 3; ++i) train_step(model, adam, toy_loss, batch, options);
    CHECK(weights_of(model) == weights_of(alone));
    CHECK(throws<StateError>([&] { adam.state_arrays(); }, "call gather_optimizer"));
    gather_optimizer(adam, ranks);
    CHECK(adam.state_arrays() == of_alone.state_arrays());
    compute_gradients(model, toy_loss, batch, {.ranks = {.communicator = ranks}});
    step_in_parts(adam, ranks);  // again
    CHECK(adam.steps() == 4);
    CHECK(throws<StateError>([&] { adam.state_arrays(); }, "a part of what it remembers"));
  });
}

}  // namespace maskgrad::tests::test_shard_optimizer
