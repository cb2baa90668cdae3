#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include <maskgrad/optim/train/interrupts.hpp>

#include "throws.hpp"
#include "train/toy.hpp"

namespace maskgrad::tests::test_interrupts {
namespace {

/// Trains; at `signal_at` the process gets `signal`, as by Ctrl-C.
History train(Sequential& model, const std::filesystem::path& folder, std::int64_t signal_at = -1,
              int signal = SIGINT, std::int64_t in_validation_of = -1) {
  Adam adam{model.parameters()};
  Dataset data = toy_data();
  std::int64_t validations = 0;
  const Dataset watched = data.map([&](Batch b) {
    if (++validations == in_validation_of) ::raise(SIGINT);
    return b;
  });
  return fit(model, adam, Batches{data, {.batch_size = 10}},
             {.loss = toy_loss,
              .epochs = 3,
              .metrics = {"SparseCategoricalAccuracy"},
              .validation = Batches{watched, {.batch_size = 20, .shuffle = false, .prefetch = 0}},
              .checkpoints = {.folder = folder},
              .progress = Progress::off,
              .on_step = [&](FitEvent& e) {
                if (e.step == signal_at) ::raise(signal);
              }});
}

/// stderr goes nowhere while one lives: the handler speaks there.
class Quiet {
 public:
  Quiet() : kept_(::dup(2)) { (void)!::freopen("/dev/null", "w", stderr); }
  ~Quiet() {
    std::fflush(stderr);
    ::dup2(kept_, 2);
    ::close(kept_);
  }

 private:
  int kept_;
};

TEST_CASE("Ctrl-C and SIGTERM finish the step, save and return; the next run goes on bit by bit") {
  const Quiet quiet;
  Sequential whole = toy_model();
  const auto expected = train(whole, "");
  for (const int signal : {SIGINT, SIGTERM}) {
    for (const std::int64_t at : {1, 4, 6}) {
      CAPTURE(at);
      const files::TemporaryFolder folder;
      Sequential model = toy_model();
      const auto history = train(model, folder.path(), at, signal);
      CHECK(history.interrupted);
      CHECK(history.epochs.size() == (at > 4 ? 1 : 0));
      REQUIRE(history.notes.size() == 1);
      CHECK(history.notes[0].find(fmt::format("after step {}: saved ", at)) != std::string::npos);
      CHECK(history.notes[0].find("run it again to go on") != std::string::npos);
      Sequential again = toy_model();
      const auto rest = train(again, folder.path());
      CHECK(!rest.interrupted);
      CHECK(weights_of(again) == weights_of(whole));
      CHECK(rest.values("sparse_categorical_accuracy") ==
            expected.values("sparse_categorical_accuracy"));
    }
  }
}

TEST_CASE("an interrupt in the validation leaves it and validates again when it goes on") {
  const Quiet quiet;
  Sequential whole = toy_model();
  const auto expected = train(whole, "");
  const files::TemporaryFolder folder;
  Sequential model = toy_model();
  const auto history = train(model, folder.path(), -1, 0, 3);  // the second epoch's first batch
  CHECK(history.interrupted);
  CHECK(history.epochs.size() == 1);
  Sequential again = toy_model();
  const auto rest = train(again, folder.path());
  CHECK(weights_of(again) == weights_of(whole));
  for (const auto* name : {"loss", "sparse_categorical_accuracy", "val_loss"}) {
    CHECK(rest.values(name) == expected.values(name));
  }
}

TEST_CASE("without a folder the history says that nothing was saved") {
  const Quiet quiet;
  Sequential model = toy_model();
  const auto history = train(model, "", 2);
  CHECK(history.interrupted);
  CHECK(history.notes ==
        std::vector<std::string>{"interrupted in epoch 1, after step 2: there is no checkpoint "
                                 "folder, so a new run begins anew"});
}

TEST_CASE("handlers are there only while a training runs") {
  const auto handler = [] {
    struct sigaction now {};
    ::sigaction(SIGINT, nullptr, &now);
    return now.sa_handler;
  };
  void (*before)(int) = handler();
  Sequential model = toy_model();
  Adam adam{model.parameters()};
  const Batches batches{toy_data()};
  const auto run = [&](bool on) {
    bool installed = false;
    fit(model, adam, batches,
        {.loss = toy_loss,
         .progress = Progress::off,
         .catch_interrupts = on,
         .on_step = [&](FitEvent&) { installed = handler() != before; }});
    return installed;
  };
  CHECK(run(true));
  CHECK(!run(false));
  CHECK((handler() == before));
  CHECK(throws<GradError>(
      [&] {
        fit(model, adam, batches,
            {.loss = TrainingLoss{[](const Batch&, const Tensors&) -> Loss {
               fail<GradError>("mine", "thrown");
             }},
             .progress = Progress::off});
      },
      "fit: epoch 1, step 1"));
  CHECK((handler() == before));
}

/// Runs `f` in a process of its own; its status.
template <class F>
int status_of(F f) {
  const pid_t child = ::fork();
  if (child == 0) {
    f();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST_CASE("a second signal leaves at once, and an ignored one stays ignored") {
  const Quiet quiet;
  const int twice = status_of([] {
    ::signal(SIGINT, SIG_DFL);
    const Interrupts guard(true);
    ::raise(SIGINT);
    if (!guard.asked()) ::_exit(3);
    ::raise(SIGINT);
  });
  CHECK(WIFSIGNALED(twice));
  CHECK(WTERMSIG(twice) == SIGINT);
  const int ignored = status_of([] {
    ::signal(SIGINT, SIG_IGN);
    const Interrupts guard(true);
    ::raise(SIGINT);
    if (guard.asked()) ::_exit(3);
    ::raise(SIGTERM);
    if (!guard.asked()) ::_exit(4);
  });
  CHECK(WIFEXITED(ignored));
  CHECK(WEXITSTATUS(ignored) == 0);
}

}  // namespace
}  // namespace maskgrad::tests::test_interrupts
