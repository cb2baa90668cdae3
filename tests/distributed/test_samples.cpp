#include <doctest/doctest.h>

#include <cmath>

#include "distributed/trainings.hpp"

#include <maskgrad/optim/distributed/run_ranks.hpp>

namespace maskgrad::tests::test_samples {

TEST_CASE("the trainings of the samples have the same bits on 1, 2, 4 and 8 ranks") {
  for (const auto* name : {"words", "music", "speakers"}) {
    CAPTURE(name);
    const SampleTraining training = sample_training(name, true, true);
    const auto alone = training.run({.communicator = Communicator::alone()});
    for (const int size : {2, 3, 4, 8}) {
      CAPTURE(size);
      std::vector<std::vector<double>> all(static_cast<std::size_t>(size));
      run_ranks(size, [&](const Communicator& ranks) {
        all[static_cast<std::size_t>(ranks.rank())] = training.run({.communicator = ranks});
      });
      for (const auto& rank : all) CHECK(rank == all[0]);
      if (size != 3) CHECK(all[0] == alone);
      REQUIRE(all[0].size() == alone.size());
      double farthest = 0;
      for (std::size_t i = 0; i < alone.size(); ++i) {
        farthest = std::max(farthest, std::abs(all[0][i] - alone[i]));
      }
      CHECK(farthest <= 1e-4);
    }
  }
}

}  // namespace maskgrad::tests::test_samples
