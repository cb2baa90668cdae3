#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "throws.hpp"
#include "train/toy.hpp"

namespace maskgrad::tests::test_checkpoint_hostile {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;
constexpr const char* key = "maskgrad_checkpoint";

/// A training in windows that carry state, stopped in the middle of sequences; with everything that
/// a checkpoint can hold.
struct Training {
  Training() { run(5); }

  /// Goes on; where `stop_at` is given a callback ends it after that step.
  History run(std::int64_t stop_at = -1) {
    const Dataset data = toy_data().map([](Batch b) {
      b.target = b.inputs[0];
      return b;
    });
    Sequential model{LSTM{{.units = 4, .return_sequences = true, .stateful = true}},
                     RNN{StackedRNNCells({GRUCell{{.units = 2}}, LSTMCell{{.units = 3}}}),
                         {.return_sequences = true, .stateful = true}},
                     Dense{{.units = 3}}};
    model.build(Spec::f32({any, any, 3}).masked(2), Seed{1});
    before = weights_of(model);
    Adam adam{model.parameters()};
    FitOptions options{.loss = "mean_squared_error", .epochs = 2};
    options.metrics = {"MeanAbsoluteError", {"r2", R2Score{{}}}};
    options.schedule = WarmUp{{.over = 1, .then = Plateau{{.monitor = "loss"}}}};
    options.average = MovingAverageOptions{.decay = 0.9};
    options.early_stopping = EarlyStoppingOptions{.patience = 3, .restore_best = true};
    options.checkpoints = {.folder = folder.path(), .every_steps = 1, .keep = 1};
    options.progress = Progress::off;
    options.on_step = [&](FitEvent& e) { e.stop = e.step == stop_at; };
    try {
      return fit(model, adam, Batches{data, {.batch_size = 16, .window = 3}}, std::move(options));
    } catch (...) {
      after = weights_of(model);
      throw;
    }
  }
  fs::path newest() const { return folder / "checkpoint-000000005.safetensors"; }
  /// Changes the newest one.
  void change(const std::function<void(NamedArrays&, Json&)>& how) {
    auto file = read_safetensors(newest());
    Json state = Json::parse(file.metadata.at(key));
    how(file.arrays, state);
    write_safetensors(newest(), file.arrays, {{key, state.dump()}});
  }

  files::TemporaryFolder folder;
  std::vector<double> before, after;
};

Array& find(NamedArrays& arrays, const std::string& name) {
  const auto at =
      std::find_if(arrays.begin(), arrays.end(), [&](const auto& a) { return a.name == name; });
  REQUIRE_MESSAGE(at != arrays.end(), name);
  return at->array;
}

void take_out(NamedArrays& arrays, const std::string& name) {
  find(arrays, name);
  std::erase_if(arrays, [&](const auto& a) { return a.name == name; });
}

struct Damage {
  std::string text;  ///< of the error
  std::function<void(NamedArrays&, Json&)> how;
};

Damage set(const char* pointer, Json value, std::string text) {
  return {std::move(text), [pointer, value](NamedArrays&, Json& state) {
            state.at(Json::json_pointer(pointer)) = value;
          }};
}

const std::string in_sequences = "goes on in the middle of sequences";

std::vector<Damage> damages() {
  const auto floats = [](std::vector<std::int64_t> shape) {
    std::size_t count = 1;
    for (const auto size : shape) count *= static_cast<std::size_t>(size);
    return Array::of<float>(shape, std::vector<float>(count));
  };
  const auto without_states = [](NamedArrays& arrays) {
    std::erase_if(arrays, [](const auto& a) { return a.name.starts_with("carried/"); });
  };
  std::vector<Damage> all{
      {"arrays; expected ", [](auto& arrays, auto&) { take_out(arrays, "carried/lstm/1"); }},
      {"arrays; expected ", [=](auto& arrays, auto&) { without_states(arrays); }},
      {in_sequences,
       [=](auto& arrays, auto& state) {
         without_states(arrays);
         state.erase("arrays");  // as versions before wrote it
       }},
      {"'lstm' carries: it has 1 states; expected 2",
       [](auto& arrays, auto& state) {
         take_out(arrays, "carried/lstm/1");
         state.erase("arrays");
       }},
      {"'carried/lstm/1', a state that no layer carries",
       [](auto& arrays, auto& state) {
         take_out(arrays, "carried/lstm/0");
         take_out(arrays, "carried/rnn/2");
         take_out(arrays, "carried/rnn/1");
         take_out(arrays, "carried/rnn/0");
         state.erase("arrays");
       }},
      {"'carried/other/0', a state that no layer carries",
       [=](auto& arrays, auto& state) {
         arrays.push_back({"carried/other/0", floats({16, 4})});
         state["arrays"] = state["arrays"].template get<int>() + 1;
       }},
      {"state 0 is f32[16, 5]; expected f32[batch, 4]",
       [=](auto& arrays, auto&) {
         find(arrays, "carried/lstm/0") = floats({16, 5});
       }},
      {"state 0 is f32[]; expected",
       [=](auto& arrays, auto&) { find(arrays, "carried/lstm/0") = floats({}); }},
      {"state 1 is f32[3, 4]; expected",
       [=](auto& arrays, auto&) {
         find(arrays, "carried/lstm/1") = floats({3, 4});
       }},
      {"state 0 is f64[16, 4]; expected f32",
       [](auto& arrays, auto&) {
         find(arrays, "carried/lstm/0") = Array::of<double>({16, 4}, std::vector<double>(64));
       }},
      {"in a batch of 16, and has the carried states of 7",
       [=](auto& arrays, auto&) {
         find(arrays, "carried/lstm/0") = floats({7, 4});
         find(arrays, "carried/lstm/1") = floats({7, 4});
       }},
      {"of a value that cannot be: optimizer/steps",
       [](auto& arrays, auto&) {
         find(arrays, "optimizer/steps") =
             Array::of<std::int64_t>({}, std::vector<std::int64_t>{-1});
       }},
      {"missing: optimizer/mean/dense/kernel",
       [](auto& arrays, auto& state) {
         take_out(arrays, "optimizer/mean/dense/kernel");
         state.erase("arrays");
       }},
      {"average/steps", [](auto& arrays, auto& state) {
         take_out(arrays, "average/steps");
         state.erase("arrays");
       }}};
  const std::string stood = "does not say where its training stood";
  for (const char* field :
       {"epoch", "batch", "step", "applied", "skipped", "rows", "padding", "waited", "arrays"}) {
    for (const Json& value : {Json(-1), Json(1.5), Json(true), Json("1"), Json(), Json(UINT64_MAX),
                              Json::array(), Json(1'000'000'000)}) {
      if (std::string(field) == "rows" && value == 1'000'000'000) continue;  // it may be
      if (std::string(field) == "padding" && value == 1'000'000'000) continue;
      const bool counted = std::string(field) == "arrays" && value == 1'000'000'000;
      const std::string pointer = std::string("/") + field;
      all.push_back({counted ? "arrays; expected 1000000000" : stood,
                     [pointer, value](NamedArrays&, Json& state) {
                       state.at(Json::json_pointer(pointer)) = value;
                     }});
    }
  }
  for (const char* field : {"seconds", "loss", "metrics", "base_rate", "rate", "schedule", "best",
                            "best_epoch", "stopped_early", "epochs", "reductions", "settings"}) {
    const std::string pointer = std::string("/") + field;
    all.push_back({stood, [field](NamedArrays&, Json& state) { state.erase(field); }});
    all.push_back({stood, [pointer](NamedArrays&, Json& state) {
                     state.at(Json::json_pointer(pointer)) = Json{{"a", 1}, {"b", {}}};
                     if (pointer == "/settings") state["settings"] = "{}";
                   }});
  }
  all.insert(all.end(),
             {set("/rate", -1, "learning rates 0.001 and -1"),
              set("/rate", "nan", stood),
              set("/rate", "fast", stood),
              set("/seconds", "inf", stood),
              set("/seconds", -1, stood),
              set("/best", "nan", stood),
              set("/best_epoch", 7, "the best epoch is none of those done"),
              set("/loss", {9, 1, 1, 1, 0}, "what the loss has counted"),
              set("/loss", {1, 1, 1}, "what the loss has counted"),
              set("/loss", Json::array(), "what the loss has counted"),
              set("/loss/2", -5, "what the loss has counted"),
              set("/metrics", Json::array(), "0 are counted; expected 2"),
              set("/metrics/0", {7}, "a count of 7 over 0 sums; expected what counted() gave"),
              set("/metrics/0", {7, 1, 1}, "a count of 7 over 2 sums"),
              set("/metrics/0", {"nan", 1}, "a count of nan over 1 sums"),
              set("/metrics/1", {7, 1, 1}, "a count of 7 over 2 sums"),
              set("/schedule", {1, 2, 3}, "a state of 3 numbers; expected the 4"),
              set("/schedule", {1, 2, 3, 4}, "a state of factor 2"),
              set("/schedule", {1, 1, 0.5, 0}, "0.5 epochs waited"),
              set("/schedule", {1, 1, 1e300, 0}, "epochs waited"),
              set("/epochs", {1}, stood),
              set("/epochs", Json::array({Json::object()}), stood)});
  return all;
}

TEST_CASE("what a damaged checkpoint holds is refused before anything is changed") {
  Training training;
  const auto good = read_safetensors(training.newest());
  for (const auto& damage : damages()) {
    CAPTURE(damage.text);
    write_safetensors(training.newest(), good.arrays, good.metadata);
    training.change(damage.how);
    CAPTURE(read_safetensors(training.newest()).metadata.at(key).substr(0, 400));
    CHECK(throws<FileError>([&] { training.run(); }, damage.text, "none of the 1"));
    CHECK(training.after == training.before);
  }
}

TEST_CASE("JSON that is nested without end is refused in whatever field of a state it stands") {
  Training training;
  const auto good = read_safetensors(training.newest());
  const Json whole = Json::parse(good.metadata.at(key));
  for (const auto& field : whole.items()) {
    for (const std::size_t depth : {2000, 100'000}) {
      Json state = whole;
      state[field.key()] = "@";
      std::string text = state.dump();
      text.replace(text.find("\"@\""), 3, std::string(depth, '[') + std::string(depth, ']'));
      write_safetensors(training.newest(), good.arrays, {{key, text}});
      CHECK(throws<FileError>([&] { training.run(); }, "it is nested more than 1016 deep"));
    }
  }
}

TEST_CASE("a damaged one is passed over for the one before it") {
  Training training;
  auto file = read_safetensors(training.newest());
  write_safetensors(training.folder / "checkpoint-000000004.safetensors", file.arrays,
                    file.metadata);
  training.change([](NamedArrays& arrays, Json&) { take_out(arrays, "carried/lstm/1"); });
  const auto history = training.run(7);
  REQUIRE(history.notes.size() == 2);
  CHECK(history.notes[0].starts_with("passed over a checkpoint that cannot be used: "));
  CHECK(history.notes[1].find("checkpoint-000000004") != std::string::npos);
}

TEST_CASE("a checkpoint without the count of its arrays, as versions before wrote it, goes on") {
  Training training, other;
  training.change([](NamedArrays&, Json& state) { state.erase("arrays"); });
  CHECK(training.run().epochs.size() == 2);
  CHECK(training.run().last("loss") == other.run().last("loss"));
}

TEST_CASE("terms that the loss does not have are refused at the first step") {
  Training training;
  training.change([](NamedArrays&, Json& state) {
    for (const double more : {1, 1, 1, 0}) state["loss"].push_back(more);
  });
  CHECK(throws<FileError>([&] { training.run(); },
                          "the checkpoint that was resumed counted 2 terms of its loss, this loss "
                          "has 1; it is damaged, or of another loss: give another folder"));
}

TEST_CASE("the mean of an epoch is that of one loss") {
  Training training;
  const auto counted = [&](double sum, const char* loss) {
    training.change([&](NamedArrays&, Json& state) {
      state["settings"]["loss"] = loss;
      state["loss"][1] = sum;
    });
  };
  const auto good = read_safetensors(training.newest());
  std::vector<double> means;
  for (const double sum : {0.0, 1e6}) {
    write_safetensors(training.newest(), good.arrays, good.metadata);
    counted(sum, "another");
    const auto history = training.run();
    means.push_back(history.epochs[0].logs.values()[0].second);
    for (const auto& entry : fs::directory_iterator(training.folder.path())) fs::remove(entry);
  }
  CHECK(means[0] == means[1]);
}

TEST_CASE("many other settings are said in a few lines") {
  Training training;
  training.change([](NamedArrays&, Json& state) {
    for (int i = 0; i < 1000; ++i) state["settings"]["x" + std::to_string(i)] = i;
  });
  const auto history = training.run();
  CHECK(history.notes.size() < 30);
  CHECK(std::any_of(history.notes.begin(), history.notes.end(), [](const auto& note) {
    return note.find("goes on with 980 other settings more") != std::string::npos;
  }));
}

}  // namespace
}  // namespace maskgrad::tests::test_checkpoint_hostile
