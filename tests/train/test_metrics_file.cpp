#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "throws.hpp"
#include "train/toy.hpp"

namespace maskgrad::tests::test_metrics_file {
namespace {

namespace fs = std::filesystem;

/// Three epochs; what is done after the first and the second one.
History run(const fs::path& metrics, std::function<void()> after_first = {},
            std::function<void()> after_second = {}, std::string metric = "nll") {
  Sequential model = toy_model();
  Adam adam{model.parameters()};
  return fit(model, adam, Batches{toy_data(), {.batch_size = 20}},
             {.loss = toy_loss,
              .epochs = 3,
              .metrics = {{metric, TrainingLoss{toy_loss}}},
              .metrics_file = metrics,
              .progress = Progress::off,
              .on_epoch = [&](FitEvent& e) {
                if (e.epoch == 1 && after_first) after_first();
                if (e.epoch == 2 && after_second) after_second();
              }});
}

std::vector<std::string> lines_of(const fs::path& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

TEST_CASE("the folders of a metrics file are made") {
  const files::TemporaryFolder folder;
  const auto path = folder / "a" / "b" / "metrics.csv";
  CHECK(run(path).notes.empty());
  CHECK(lines_of(path).size() == 4);
}

TEST_CASE(
    "a metrics file that is a pipe, a folder or a full device is said once and stops nothing") {
  const files::TemporaryFolder folder;
  const auto pipe = folder / "pipe.csv", full = folder / "full.csv", dir = folder / "dir.csv";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  fs::create_symlink("/dev/full", full);
  fs::create_directory(dir);
  for (const auto& path : {pipe, full, dir}) {
    CAPTURE(path.string());
    const auto history = run(path);
    CHECK(history.epochs.size() == 3);
    REQUIRE(history.notes.size() == 1);
    CHECK(history.notes[0].find("the training goes on, but: metrics_file: ") == 0);
  }
  // With somebody who reads, too: what is no file is not written.
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  CHECK(run(pipe).notes.size() == 1);
  ::close(reader);
}

TEST_CASE("a metrics file whose folder comes late or goes away has its header and every epoch") {
  const files::TemporaryFolder folder;
  for (const std::string ending : {".csv", ".jsonl"}) {
    CAPTURE(ending);
    const auto dir = folder / ("late" + ending), path = dir / ("metrics" + ending);
    files::save(dir, "a file where the folder should be");
    const auto history = run(path, [&] { fs::remove(dir); });
    CHECK(history.notes.size() == 1);
    const auto lines = lines_of(path);
    const bool csv = ending == ".csv";
    REQUIRE(lines.size() == (csv ? 4 : 3));
    CHECK(lines[0].find(csv ? "epoch,steps" : R"({"epoch":1)") == 0);
    CHECK(lines.back().find(csv ? "3," : R"({"epoch":3)") == 0);

    const auto gone = folder / ("gone" + ending);
    CHECK(run(gone / ("m" + ending), [&] { fs::remove_all(gone); }).notes.empty());
    CHECK(lines_of(gone / ("m" + ending)).size() == (csv ? 3 : 2));
    CHECK(lines_of(gone / ("m" + ending))[0].find("epoch") != std::string::npos);
  }
}

TEST_CASE("lines that could not be written come with the next one that can be") {
  const files::TemporaryFolder folder;
  const auto path = folder / "metrics.csv";
  const auto history = run(
      path,
      [&] {
        fs::remove(path);
        fs::create_directory(path);
      },
      [&] { fs::remove(path); });
  CHECK(history.notes.size() == 1);
  const auto lines = lines_of(path);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].find("epoch,steps") == 0);
  CHECK(lines[1].find("2,") == 0);
  CHECK(lines[2].find("3,") == 0);
}

TEST_CASE("names of metrics are quoted in CSV, escaped on a terminal, and never end a run") {
  const files::TemporaryFolder folder;
  run(folder / "m.csv", {}, {}, "a \"b\", c");
  CHECK(lines_of(folder / "m.csv")[0].find(",\"a \"\"b\"\", c\",") != std::string::npos);
  run(folder / "m.jsonl", {}, {}, "no \xff utf-8");
  CHECK(nlohmann::json::accept(lines_of(folder / "m.jsonl")[0]));

  EpochRecord record{1, 1, 0, 1, 0, {}, 0};
  record.logs.set("bell\x1b[2J\a", 1);
  record.logs.set(std::string(100, 'x'), 2);
  const auto line = detail::epoch_line(record, 1, 0);
  CHECK(line.find('\x1b') == std::string::npos);
  CHECK(line.find("bell\\x1b[2J\\x07 1") != std::string::npos);
  CHECK(line.find(std::string(41, 'x')) == std::string::npos);
  History history;
  history.epochs = {record};
  history.notes = {"a\x1b[31mred"};
  const auto page = report_html(history, {.title = std::string(3000000, 'T')});
  CHECK(page.find('\x1b') == std::string::npos);
  CHECK(page.size() < 100000);
}

}  // namespace
}  // namespace maskgrad::tests::test_metrics_file
