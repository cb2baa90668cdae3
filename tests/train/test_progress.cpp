#include <doctest/doctest.h>

#include <cstdio>

#include "throws.hpp"
#include "train/toy.hpp"

namespace maskgrad::tests::test_progress {
namespace {

Logs logs_of(std::initializer_list<std::pair<const char*, double>> values) {
  Logs logs;
  for (const auto& [name, value] : values) logs.set(name, value);
  return logs;
}

TEST_CASE("a bar fits the width, and leaves out what matters least") {
  const detail::BarPosition at{3, 20, 42, 100, 18234, 0.613, 83};
  const auto logs = logs_of({{"loss", 0.41234}, {"accuracy", 0.9131}});
  CHECK(detail::bar_line(at, logs, 120) ==
        "epoch  3/20  [====>.....]  loss 0.4123  accuracy 0.9131  18.2k valid rows/s  61% padding "
        "skipped  1:23 left");
  CHECK(detail::bar_line(at, logs, 102) ==
        "epoch  3/20 [====>.....] loss 0.4123 accuracy 0.9131 18.2k valid rows/s 61% padding "
        "skipped 1:23 left");
  CHECK(detail::bar_line(at, logs, 79) ==
        "epoch  3/20 [==>..] loss 0.4123 accuracy 0.9131 18.2k rows/s 61% pad 1:23 left");
  CHECK(detail::bar_line(at, logs, 71) ==
        "epoch  3/20 loss 0.4123 accuracy 0.9131 18.2k rows/s 61% pad 1:23 left");
  CHECK(detail::bar_line(at, logs, 50) == "epoch  3/20 loss 0.4123 accuracy 0.9131 1:23 left");
  CHECK(detail::bar_line(at, logs, 30) == "epoch  3/20 loss 0.4123");
  CHECK(detail::bar_line(at, logs, 8) == "epoch  3");
}

TEST_CASE("an epoch's line says everything in a file, and what fits on a terminal") {
  EpochRecord record{3, 300, 2, 100, 60, {}};
  record.logs = logs_of({{"loss", 0.4},
                         {"val_loss", 0.5},
                         {"learning_rate", 0.001},
                         {"rows_per_second", 1.24e6},
                         {"padding_skipped", 0.375},
                         {"seconds", 12.34}});
  CHECK(detail::epoch_line(record, 20, 0) ==
        "epoch  3/20  loss 0.4000  val_loss 0.5000  rate 0.001  1.24M valid rows/s  38% padding "
        "skipped  2 "
        "steps of nothing valid  12.3 s");
  CHECK(detail::epoch_line(record, 20, 79) ==
        "epoch  3/20 loss 0.4000 val_loss 0.5000 2 steps of nothing valid 12.3 s");
}

TEST_CASE("numbers and durations are short") {
  CHECK(detail::short_number(0) == "0");
  CHECK(detail::short_number(999.4) == "999");
  CHECK(detail::short_number(999.6) == "1.00k");
  CHECK(detail::short_number(12345) == "12.3k");
  CHECK(detail::short_number(123456) == "123k");
  CHECK(detail::short_number(2.5e7) == "25.0M");
  CHECK(detail::duration(6.1) == "0:07");
  CHECK(detail::duration(750) == "12:30");
  CHECK(detail::duration(11100) == "3:05:00");
}

/// What a training of two epochs writes.
std::string written(Progress how) {
  const files::TemporaryFolder folder;
  const auto path = folder / "log";
  std::FILE* out = std::fopen(path.c_str(), "w");
  Sequential model = toy_model();
  Adam adam{model.parameters()};
  fit(model, adam, Batches{toy_data()},
      {.loss = toy_loss, .epochs = 2, .progress = how, .output = out});
  std::fclose(out);
  return files::load(path);
}

TEST_CASE("a file gets plain lines, a bar is redrawn and removed, off is silent") {
  const auto lines = written(Progress::automatic);
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 2);
  CHECK(lines.find('\r') == std::string::npos);
  CHECK(lines.find('\033') == std::string::npos);
  CHECK(lines.find("epoch 1/2  loss 0.") == 0);
  CHECK(lines.find("valid rows/s") != std::string::npos);
  const auto bar = written(Progress::bar);
  CHECK(bar.find("\repoch 1/2") != std::string::npos);
  CHECK(bar.find("\r\033[Kepoch 1/2 loss 0.") != std::string::npos);
  CHECK(bar.back() == '\n');
  CHECK(written(Progress::off).empty());
}

}  // namespace
}  // namespace maskgrad::tests::test_progress
