#include <doctest/doctest.h>

#include <chrono>
#include <limits>

#include "distributed/runs.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_faults {
namespace {

constexpr int size = 4, culprit = 2;

/// What each rank of a training ended with, where `change` makes one of them another.
std::vector<std::string> errors_of(
    const std::function<void(Training&, const Communicator&)>& change) {
  std::vector<std::string> texts(size);
  const auto begin = std::chrono::steady_clock::now();
  try {
    run_ranks(size, [&](const Communicator& ranks) {
      try {
        Training training;
        change(training, ranks);
        training.run({.communicator = ranks});
      } catch (const std::exception& error) {
        texts[static_cast<std::size_t>(ranks.rank())] = error.what();
        throw;
      }
    });
  } catch (const std::exception&) {
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  CHECK(taken.count() < 10);
  return texts;
}

/// One rank fails with this text, and all others name it.
void check_fault(const std::string& text,
                 const std::function<void(Training&, const Communicator&)>& change) {
  CAPTURE(text);
  const auto texts =
      errors_of([&](Training& training, const Communicator& ranks) { change(training, ranks); });
  for (int r = 0; r < size; ++r) {
    const std::string& own = texts[static_cast<std::size_t>(r)];
    CAPTURE(own);
    CHECK(own.find(text) != std::string::npos);
    if (r != culprit) CHECK(own.find("rank 2 of 4 failed") != std::string::npos);
  }
}

Dataset data_that(const std::function<void(std::int64_t sample, std::vector<float>&)>& change) {
  CallbackOptions options;
  for (std::int64_t i = 0; i < 20; ++i) options.lengths.push_back(1 + i % 9);
  options.sample = [change, lengths = options.lengths](std::int64_t i) {
    const auto steps = lengths[static_cast<std::size_t>(i)];
    std::vector<float> values(static_cast<std::size_t>(3 * steps), 0.25f);
    if (change) change(i, values);
    return SequenceData{{tensor(values, {steps, 3})}, tensor<std::int64_t>({i % 2}, {})};
  };
  return Dataset::from_callback(options);
}

}  // namespace

TEST_CASE("what one rank throws, in any phase of a step, ends all with its number and text") {
  check_fault("fit: epoch 1, step", [](Training& t, const Communicator& ranks) {
    t.change = [&ranks](FitOptions& o) {
      o.before_update = [&ranks](const UpdateEvent& e) {
        if (ranks.rank() == culprit && e.step == 3)
          throw std::runtime_error("fit: epoch 1, step 3, no luck");
      };
    };
  });
  check_fault("the callback fell", [](Training& t, const Communicator& ranks) {
    if (ranks.rank() != culprit) return;
    t.change = [](FitOptions& o) {
      o.on_step = [](FitEvent&) { throw std::runtime_error("the callback fell"); };
    };
  });
  check_fault("the epoch fell", [](Training& t, const Communicator& ranks) {
    if (ranks.rank() != culprit) return;
    t.change = [](FitOptions& o) {
      o.on_epoch = [](FitEvent&) { throw std::runtime_error("the epoch fell"); };
    };
  });
  check_fault("the loss fell", [](Training& t, const Communicator& ranks) {
    t.change = [&ranks](FitOptions& o) {
      o.loss = TrainingLoss([&ranks, calls = 0](const Batch& b, const Tensors& outputs) mutable {
        if (ranks.rank() == culprit && ++calls == 4) fail<ShapeError>("own_loss", "the loss fell");
        return sparse_categorical_crossentropy(b.target, outputs[0]);
      });
    };
  });
  check_fault("the option .epochs", [](Training& t, const Communicator& ranks) {
    if (ranks.rank() == culprit) t.epochs = -1;
  });
}

TEST_CASE("data that one rank cannot read end all") {
  const auto texts = errors_of([](Training& t, const Communicator& ranks) {
    t.data = data_that([rank = ranks.rank(), reads = 0](std::int64_t, std::vector<float>&) mutable {
      // The first batch is read by all, to be compared.
      if (rank == culprit && ++reads > 30) fail<FileError>("read", "the file is gone");
    });
  });
  for (const auto& text : texts) CHECK(text.find("the file is gone") != std::string::npos);
}

TEST_CASE("a loss that turns NaN on one rank ends all, naming rank and sequences") {
  const auto texts = errors_of([](Training& t, const Communicator& ranks) {
    t.data =
        data_that([rank = ranks.rank(), reads = 0](std::int64_t, std::vector<float>& x) mutable {
          if (rank == culprit && ++reads > 30) x[0] = std::numeric_limits<float>::quiet_NaN();
        });
  });
  for (int r = 0; r < size; ++r) {
    const std::string& text = texts[static_cast<std::size_t>(r)];
    CAPTURE(text);
    CHECK(text.find("the loss is nan") != std::string::npos);
    CHECK(text.find("sequence") != std::string::npos);
    if (r != culprit) CHECK(text.find("rank 2 of 4 failed: fit: epoch ") != std::string::npos);
  }
}

TEST_CASE("what differs between ranks is told at the first step, with both values") {
  const auto differs = [](const std::string& text, const std::function<void(Training&)>& change) {
    CAPTURE(text);
    const auto texts = errors_of([&](Training& training, const Communicator& ranks) {
      if (ranks.rank() == culprit) change(training);
    });
    for (const auto& own : texts) {
      CAPTURE(own);
      CHECK(own.find("the ranks do not train the same") != std::string::npos);
      CHECK(own.find(text) != std::string::npos);
    }
  };
  differs("/batches/seed: 3 on rank 0, 4 on rank 2", [](Training& t) { t.batches.seed = 4; });
  differs("/seed: 9 on rank 0, 8 on rank 2",
          [](Training& t) { t.change = [](FitOptions& o) { o.seed = 8; }; });
  differs("/clip_norm: 0.5 on rank 0, 2.0 on rank 2",
          [](Training& t) { t.change = [](FitOptions& o) { o.clip_norm = 2; }; });
  differs("/epochs: 2 on rank 0, 5 on rank 2", [](Training& t) { t.epochs = 5; });
  differs("/data/values/first_batch", [](Training& t) {
    t.data = uneven_data().map([](Batch b) {
      b.inputs[0] = b.inputs[0] * 1.5;
      return b;
    });
  });
  differs("/data/values/first_batch", [](Training& t) { t.dtype = DType::f64; });
}

TEST_CASE("a checkpoint that rank 0 cannot write ends all where it is asked to") {
  const files::TemporaryFolder folder;
  const auto texts = errors_of([&](Training& t, const Communicator&) {
    t.folder = "/dev/null/checkpoints";
    t.change = [](FitOptions& o) { o.checkpoints.stop_on_failure = true; };
  });
  for (std::size_t r = 1; r < texts.size(); ++r) {
    CAPTURE(texts[r]);
    CHECK(texts[r].find("rank 0 of 4 failed") != std::string::npos);
    CHECK(texts[r].find("/dev/null") != std::string::npos);
  }
}

}  // namespace maskgrad::tests::test_faults
