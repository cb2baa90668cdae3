#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "io/limits.hpp"
#include "throws.hpp"
#include "train/toy.hpp"

namespace maskgrad::tests::test_checkpoint {
namespace {

namespace fs = std::filesystem;

/// Trains the toy model of `units` with checkpoints in `folder`.
History train(const fs::path& folder, CheckpointOptions options = {}, std::int64_t epochs = 4,
              std::int64_t units = 6) {
  Sequential model{GRU{{.units = units}}, Dense{{.units = 2}}};
  model.build(Spec::f32({any, any, 3}).masked(2), Seed{1});
  Adam adam{model.parameters()};
  options.folder = folder;
  return fit(
      model, adam, Batches{toy_data(), {.batch_size = 10}},
      {.loss = toy_loss, .epochs = epochs, .checkpoints = options, .progress = Progress::off});
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string step_file(int step) {
  return fmt::format("checkpoint-{:09}.safetensors", step);
}

void truncate(const fs::path& path) {
  fs::resize_file(path, fs::file_size(path) / 2);
}

TEST_CASE("the last checkpoints are kept, by epochs and by steps; other files are let alone") {
  const files::TemporaryFolder folder;
  files::save(folder / "checkpoint-notes.txt", "mine");
  files::save(folder / "checkpoint-12x.safetensors", "mine too");
  train(folder.path(), {.keep = 2});
  CHECK(names_in(folder.path()) == std::vector<std::string>{step_file(12), step_file(16),
                                                            "checkpoint-12x.safetensors",
                                                            "checkpoint-notes.txt"});
  const files::TemporaryFolder steps;
  train(steps.path(), {.every_epochs = 0, .every_steps = 5, .keep = 10});
  CHECK(names_in(steps.path()) ==
        std::vector<std::string>{step_file(5), step_file(10), step_file(15), step_file(16)});
  const files::TemporaryFolder deep;
  train(deep / "a/b", {.every_epochs = 3});
  CHECK(names_in(deep / "a/b") == std::vector<std::string>{step_file(12), step_file(16)});
}

TEST_CASE("the newest that reads well is taken, and what is wrong with newer ones is said") {
  const files::TemporaryFolder folder;
  train(folder.path(), {.keep = 4});
  truncate(folder / step_file(16));
  files::save(folder / step_file(99), "no safetensors at all");
  write_safetensors(folder / step_file(98), {}, {{"format", "pt"}});
  write_safetensors(folder / step_file(97), {}, {{"maskgrad_checkpoint", "{\"version\": 1}"}});
  write_safetensors(folder / step_file(96), {}, {{"maskgrad_checkpoint", "{\"version\": 7}"}});
  const auto before = files::load(folder / step_file(99));
  const auto history = train(folder.path(), {.keep = 2}, 5);
  REQUIRE(history.notes.size() == 6);
  const std::vector<std::string> parts{"000000099",
                                       "is no checkpoint: its metadata has no",
                                       "does not say where its training stood",
                                       "is of version 7; expected 1",
                                       "000000016",
                                       "resumed from"};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    CAPTURE(history.notes[i]);
    CHECK(history.notes[i].find(parts[i]) != std::string::npos);
    if (i < 5)
      CHECK(history.notes[i].starts_with("passed over a checkpoint that cannot be used: "));
  }
  CHECK(history.notes[5].find(step_file(12) + ": epoch 4, batch 0") != std::string::npos);
  CHECK(history.epochs.size() == 5);
  CHECK(files::load(folder / step_file(99)) == before);
  const auto names = names_in(folder.path());
  const std::vector<std::string> kept{step_file(16), step_file(20)};
  CHECK(std::includes(names.begin(), names.end(), kept.begin(), kept.end()));
}

TEST_CASE("a checkpoint of which a bit changed is named and passed over") {
  const files::TemporaryFolder folder;
  train(folder.path(), {.keep = 4});
  const auto newest = folder / step_file(16);
  const auto good = files::load(newest);
  for (std::size_t i = 0; i < 12; ++i) {
    auto bad = good;
    bad[bad.size() * i / 12] ^= static_cast<char>(1 << i % 8);
    files::save(newest, bad);
    const auto history = train(folder.path(), {.keep = 4}, 4);
    REQUIRE(history.notes.size() == 2);
    CHECK(history.notes[0].starts_with("passed over a checkpoint that cannot be used: "));
    CHECK(history.notes[0].find(step_file(16)) != std::string::npos);
    CHECK(history.notes[1].find(step_file(12) + ": epoch 4, batch 0") != std::string::npos);
    CHECK_NOTHROW(read_safetensors(newest));  // the last epoch, once more
  }
}

TEST_CASE("where none can be used the run ends, listing them, and harms none") {
  const files::TemporaryFolder folder;
  train(folder.path(), {.keep = 2}, 2);
  truncate(folder / step_file(4));
  truncate(folder / step_file(8));
  const auto before = files::load(folder / step_file(8));
  CHECK(throws<FileError>([&] { train(folder.path()); }, "none of the 2 in",
                          "move them away to begin anew", step_file(4), step_file(8)));
  CHECK(files::load(folder / step_file(8)) == before);
}

/// A class that is no layer, so it has no description.
struct Mine {
  Dense dense{{.units = 2}}, more{{.units = 3}};
  Tensor operator()(const Tensor& x) { return dense(more(reduce_mean(x))); }
  static Tensor reduce_mean(const Tensor& x) { return mean(x, {1}).drop_mask("none is empty"); }
  static void each_layer(auto& self, auto&& f) {
    f("dense", self.dense);
    f("more", self.more);
  }
};

TEST_CASE("a checkpoint of another model is refused with all differences, and nothing is changed") {
  const files::TemporaryFolder folder;
  train(folder.path(), {}, 1);
  const auto before = files::load(folder / step_file(4));
  CHECK(throws<FileError>([&] { train(folder.path(), {}, 2, 7); }, "is of another model",
                          "/model/config/layers/0/config/units: 6, now 7"));
  CHECK(files::load(folder / step_file(4)) == before);
  // A model that cannot be described is told by its arrays.
  const files::TemporaryFolder other;
  const auto train_mine = [&](std::int64_t units) {
    Mine mine;
    mine.more = Dense{{.units = units}};
    build(mine, Spec::f32({any, any, 3}).masked(2));
    Adam adam{parameters(mine)};
    const auto first = weights_of(mine);
    try {
      fit(mine, adam, Batches{toy_data()},
          {.loss = toy_loss, .checkpoints = {.folder = other.path()}, .progress = Progress::off});
    } catch (const FileError&) {
      CHECK(weights_of(mine) == first);
      throw;
    }
  };
  train_mine(3);
  CHECK(throws<FileError>([&] { train_mine(4); }, "fit: the checkpoint ",
                          "does not fit the training; nothing was changed",
                          "model/more/kernel (the file has f32[3, 3], the training f32[3, 4])",
                          "optimizer/mean/dense/kernel"));
}

TEST_CASE("without resume a folder that has checkpoints is refused") {
  const files::TemporaryFolder folder;
  train(folder.path(), {.resume = false}, 1);
  CHECK(throws<FileError>([&] { train(folder.path(), {.resume = false}); },
                          "has 1 of an earlier run", step_file(4), "set .resume"));
  CHECK(throws<FileError>([&] { train(folder / step_file(4)); }, "cannot be read",
                          "give the path of a folder"));
}

TEST_CASE("where a checkpoint cannot be saved the run goes on, or ends if it is told to") {
  const files::TemporaryFolder folder;
  train(folder.path(), {}, 1);
  const auto before = files::load(folder / step_file(4));
  {
    const files::FileSizeLimit limit(2000);
    const auto history = train(folder.path(), {}, 2);
    CHECK(history.epochs.size() == 2);
    REQUIRE(history.notes.size() == 2);
    CHECK(history.notes[1].starts_with("the training goes on, but: "));
    CHECK(history.notes[1].find("cannot be written") != std::string::npos);
    CHECK(throws<FileError>([&] { train(folder.path(), {.stop_on_failure = true}, 2); },
                            "cannot be written", "an old file is as it was"));
  }
  CHECK(names_in(folder.path()) == std::vector<std::string>{step_file(4)});
  CHECK(files::load(folder / step_file(4)) == before);
  CHECK(train(folder.path(), {}, 2).epochs.size() == 2);
}

TEST_CASE("a folder that cannot be written to is said at once and does not end the run") {
  const files::NotRoot not_root;
  const files::TemporaryFolder folder;
  fs::permissions(folder.path(), fs::perms(0555));
  const auto history = train(folder / "run", {}, 1);
  REQUIRE(history.notes.size() == 1);
  CHECK(history.notes[0].find("cannot be made") != std::string::npos);
  fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST_CASE("a name in the way of the folder is said") {
  const files::TemporaryFolder folder;
  files::save(folder / "run", "a file");
  const auto path = (folder / "run") / "deep";
  CheckpointFolder checkpoints({.folder = path});
  CHECK(throws<FileError>([&] { checkpoints.write(1, {}, "{}"); }, "checkpoint: the folder ",
                          "cannot be made", "make it, or give another"));
}

TEST_CASE("metrics files begin anew, and go on with a resumed run") {
  for (const std::string ending : {".csv", ".jsonl"}) {
    const files::TemporaryFolder folder;
    const auto path = folder / ("metrics" + ending);
    const auto run = [&](std::int64_t epochs) {
      Sequential model = toy_model();
      Adam adam{model.parameters()};
      fit(model, adam, Batches{toy_data(), {.batch_size = 10}},
          {.loss = toy_loss,
           .epochs = epochs,
           .checkpoints = {.folder = folder / "run"},
           .metrics_file = path,
           .progress = Progress::off});
      return files::load(path);
    };
    files::save(path, "an older file\n");
    const auto two = run(2);
    std::ofstream(path, std::ios::app) << "3,half a li";  // a line that a crash cut off
    const auto three = run(3);
    CHECK(three.substr(0, two.size()) == two);
    const auto lines = std::count(three.begin(), three.end(), '\n');
    CHECK(lines == (ending == ".csv" ? 4 : 3));
    const std::string first = three.substr(0, three.find('\n'));
    if (ending == ".csv") {
      CHECK(first ==
            "epoch,steps,skipped,rows,padding,loss,learning_rate,rows_per_second,padding_skipped,"
            "seconds");
    } else {
      CHECK(first.starts_with(R"({"epoch":1,"steps":4,"skipped":0,"rows":)"));
    }
  }
}

}  // namespace
}  // namespace maskgrad::tests::test_checkpoint
