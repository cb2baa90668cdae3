#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <limits>

#include <maskgrad/core/version.hpp>

#include "throws.hpp"
#include "train/html.hpp"
#include "train/toy.hpp"

namespace maskgrad::tests::test_report {
namespace {

const Progress off = Progress::off;

EpochRecord record_of(std::int64_t epoch, std::vector<std::pair<std::string, double>> values) {
  EpochRecord record{epoch, 10 * epoch, 0, 1000, 250, {}};
  for (const auto& [name, value] : values) record.logs.set(name, value);
  return record;
}

History some_history() {
  History history;
  for (const std::int64_t epoch : {1, 2, 3}) {
    const auto e = static_cast<double>(epoch);
    history.epochs.push_back(record_of(epoch, {{"loss", 3 / e},
                                               {"accuracy", 0.3 * e},
                                               {"val_loss", 2 + (e - 2) * (e - 2)},
                                               {"val_accuracy", 0.25 * e},
                                               {"learning_rate", 0.001},
                                               {"rows_per_second", 2000},
                                               {"padding_skipped", 0.2},
                                               {"seconds", 0.75}}));
  }
  history.settings = R"({"epochs": 3, "seed": 0, "model_seed": 7, "batches": {"seed": 5},
      "loss": "mean_squared_error {\"reduction\":\"mean\"}", "metrics": ["accuracy"],
      "schedule": null, "optimizer": {"class_name": "Adam", "config": {"beta_1": 0.9}},
      "model": {"class_name": "Sequential", "config": {"name": "m", "layers": [
          {"class_name": "GRU", "config": {"units": 64}}]}},
      "versions": {"maskgrad": "9.8.7", "simd": "some"}})";
  return history;
}

/// Of a fixed time, and held against what any page must hold to.
std::string page_of(const History& history, ReportOptions options = {}) {
  options.when = "today";
  const auto page = report_html(history, options);
  CHECK(wrong_tags(page) == "");
  for (const char* outside : {"http:", "https:", "<script", "@import", "url(", "src=", "nan<"}) {
    CHECK_MESSAGE(!has(page, outside), outside);
  }
  CHECK(page == report_html(history, options));
  return page;
}

TEST_CASE("report: results, curves, settings, seeds and versions of a training") {
  const auto page = page_of(some_history(), {.title = "Chorales", .parameters = 12345});
  CHECK(has(page, "<title>Chorales</title>"));
  CHECK(has(page, "<p>today</p>"));
  CHECK(has(page, "done, 3 epochs"));
  CHECK(has(page, "<dt>best epoch</dt><dd>2</dd><dd>of 3, by val_loss</dd>"));
  CHECK(has(page, "<dt>val_accuracy</dt><dd>0.5</dd><dd>at the end 0.75</dd>"));
  CHECK(has(page, "<dt>valid rows/s</dt><dd>2.00k</dd><dd>3000 in all</dd>"));
  CHECK(has(page, "<dt>padding skipped</dt><dd>20.0 %</dd><dd>750 rows never computed</dd>"));
  CHECK(has(page, "<dt>time</dt><dd>2.2 s</dd><dd>0.8 s an epoch</dd>"));
  CHECK(has(page, "<dd>12,345 values are trained</dd>"));
  CHECK(has(page, "<tr><th>loss</th><td>1.5</td><td>2</td><td>1</td><td>3</td></tr>"));
  CHECK(count_of(page, "<figure>") == 4);
  CHECK(has(page, "<th>accuracy</th><th>val_loss</th>"));
  CHECK(has(page, "<tr class=\"best\"><th>2</th>"));
  CHECK(has(page, "mean_squared_error {&quot;reduction&quot;:&quot;mean&quot;}"));
  CHECK(has(page, "<b>Adam</b><span class=\"opt\"><i>beta_1</i>0.9</span>"));
  CHECK(has(page, "<li><b>GRU</b><span class=\"opt\"><i>units</i>64</span>"));
  CHECK(has(page, "<tr><th>weights</th><td>7</td></tr>"));
  CHECK(has(page, "<tr><th>order of batches</th><td>5</td></tr>"));
  CHECK(has(page, "<td>0 (by the step alone)</td>"));
  CHECK(has(page, "<tr><th>maskgrad</th><td>9.8.7</td></tr>"));
}

TEST_CASE("report: how the training ended") {
  History history = some_history();
  history.notes = {"resumed from <here>"};
  CHECK(has(page_of(history), "<p class=\"note\">resumed from &lt;here&gt;</p>"));
  history.best_epoch = 3;
  history.stopped_early = true;
  CHECK(has(page_of(history), "stopped early, after epoch 3"));
  CHECK(has(page_of(history), "<dd>3</dd><dd>of 3</dd>"));
  history.settings = R"({"epochs": 9, "early_stopping": {"monitor": "val_accuracy"}})";
  CHECK(has(page_of(history), "of 3, by val_accuracy"));
  history.interrupted = true;
  CHECK(has(page_of(history), "interrupted after epoch 3"));
  const auto failed = page_of(history, {.failure = "fit: epoch 4: the loss is nan & more"});
  CHECK(has(failed, "ended by an error"));
  CHECK(has(failed, "<p class=\"note bad\">fit: epoch 4: the loss is nan &amp; more</p>"));
  history.stopped_early = history.interrupted = false;
  CHECK(has(page_of(history), "3 of 9 epochs"));
}

TEST_CASE("report: names are text, whatever they hold") {
  History history;
  const std::string hostile = "</style><script>\"'&\xFFh\xC3\xB6he";
  history.epochs = {record_of(1, {{hostile, 1}, {"val_" + hostile, 2}, {"loss", 3}})};
  history.notes = {hostile};
  history.settings = "no JSON <b>";
  const auto page = page_of(history, {.title = hostile, .failure = hostile});
  CHECK(has(page, "&lt;/style&gt;&lt;script&gt;&quot;&#39;&amp;\xEF\xBF\xBDh\xC3\xB6he"));
  CHECK(!has(page, "Settings"));
  history.settings = R"({"<i>": {"a&b": "<u>", "class_name": 3}, "seed": "<x>", "versions": []})";
  const auto other = page_of(history);
  CHECK(has(other, "<th>&lt;i&gt;</th>"));
  CHECK(has(other, "<i>a&amp;b</i>&lt;u&gt;"));
  CHECK(has(other, "&lt;x&gt;"));
}

TEST_CASE("report: no epoch, one epoch, nothing counted, no validation, no numbers in order") {
  CHECK(has(page_of({}), "No epoch was finished."));
  CHECK(!has(page_of({}), "<figure>"));
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  History history;
  history.epochs = {record_of(1, {{"loss", nan}, {"accuracy", nan}})};
  const auto nothing = page_of(history);
  CHECK(!has(nothing, "best epoch"));
  CHECK(has(nothing, "nothing was counted"));
  history.epochs = {record_of(1, {{"loss", 0.5}})};
  const auto one = page_of(history);
  CHECK(has(one, "<tr><th>loss</th><td>0.5</td><td>0.5</td></tr>"));
  CHECK(!has(one, "validation"));
  CHECK(has(one, "All numbers of 1 epoch<"));
  history.epochs = {record_of(0, {{"loss", 0.5}}), record_of(0, {{"loss", 0.25}, {"extra", 1}})};
  const auto unordered = page_of(history);
  CHECK(has(unordered, "best: 2"));
  CHECK(has(unordered, "<td>0.5</td><td>–</td><td>1,000</td>"));
  history.epochs.clear();
  for (int i = 1; i <= 5000; ++i) history.epochs.push_back(record_of(i, {{"loss", 1.0 / i}}));
  const auto many = page_of(history);
  CHECK(has(many, "Every 13th is shown"));
  CHECK(has(many, "<th>5000</th>"));
  CHECK(many.size() < 250000);
}

TEST_CASE("report: the mask flow in the colors of the roles, past what it skips") {
  Functional model;
  const auto x = model.input("x");
  const auto masked = model.add(Masking{{.name = "<mask>"}}, {x});
  const auto read = model.add(GRU{{.units = 3, .return_sequences = true}}, {masked});
  const auto both = model.add(Concatenate{}, {masked, read});
  model.outputs({model.add(GlobalAveragePooling1D{}, {both})});
  model.build({Spec::f32({any, any, 3})});
  const Flow flow = model.mask_flow();
  const auto page = page_of(some_history(), {.model = flow});
  CHECK(has(page, "<b>&lt;mask&gt;</b><small>Masking</small>"));
  CHECK(has(page, "<li class=\"step produces\""));
  CHECK(has(page, "<li class=\"step supports\""));
  CHECK(has(page, "<span class=\"role consumes\">consumes</span> reads the mask"));
  CHECK(!has(page, "refuses a mask"));
  CHECK(has(page, "<code>f32[any, any, 6]</code> <code class=\"masked\">mask [any, any]</code>"));
  CHECK(count_of(page, "<div class=\"line mask\">") == 4);
  CHECK(count_of(page, "<path class=\"arc mask\"") == 1);
  CHECK(has(page, "<tr><th>type</th><td>f32</td></tr>"));
  for (const MaskRole role : {MaskRole::produces, MaskRole::supports, MaskRole::consumes}) {
    const auto dot = flow.dot();
    const auto at = dot.find("fillcolor=\"#", dot.find(fmt::format("\\n{}\"", name(role))));
    const auto color = dot.substr(at + 11, 7);
    CHECK(has(page, fmt::format("--{}: {}", name(role), color)));
  }
  Sequential late{Dense{{.units = 2}}, Masking{}, GRU{{.units = 2}}};
  late.build(Spec::f32({any, any, 3}));
  CHECK(has(page_of({}, {.model = late.mask_flow()}), "its weights see the padding"));
}

TEST_CASE("report: a file that appears whole, or a clear refusal") {
  const files::TemporaryFolder folder;
  const auto path = folder / "report.html";
  write_report(path, some_history(), {.when = "today"});
  CHECK(files::load(path) == report_html(some_history(), {.when = "today"}));
  CHECK(folder.count() == 1);
  CHECK(has(report_html({}), "<p>20"));  // the time now
  CHECK(throws<FileError>([&] { write_report(folder / "no/report.html", {}); }, "write_report: ",
                          "no/report.html cannot be written", "make the folder first"));
  CHECK(throws<FileError>([&] { write_report(folder.path(), {}); }, "is a folder"));
  if (::geteuid() == 0) return;  // root may write anywhere
  ::chmod(folder.path().c_str(), 0500);
  CHECK(throws<FileError>([&] { write_report(folder / "other.html", {}); },
                          "get the right to write in that folder"));
  ::chmod(folder.path().c_str(), 0700);
}

/// A model of the user's own: it does not note what it was built for.
struct Own {
  GRU encoder{{.units = 4, .stateful = true}};
  Dense head{{.units = 2}};
  Tensor operator()(const Tensor& x) { return head(encoder(x)); }
  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    f("encoder", self.encoder);
    f("head", self.head);
  }
};

TEST_CASE("fit writes a report, of any model, and trains as without it") {
  const files::TemporaryFolder folder;
  const auto path = folder / "report.html";
  const Batches batches{toy_data(), {.batch_size = 8, .window = 4}};
  const auto trained = [&](const std::filesystem::path& report) {
    Own model;
    build(model, Spec::f32({any, any, 3}).masked(2), Seed{3});
    Adam adam{parameters(model)};
    std::vector<std::string> pages;
    fit(model, adam, batches,
        {.loss = toy_loss,
         .epochs = 3,
         .validation = batches,
         .report = report,
         .progress = off,
         .on_epoch = [&](FitEvent&) { pages.push_back(files::load(path)); }});
    if (!report.empty()) CHECK(has(pages[1], "1 of 3 epochs"));
    return weights_of(model);
  };
  const auto plain = trained("");
  CHECK(!std::filesystem::exists(path));
  CHECK(trained(path) == plain);
  const auto page = files::load(path);
  CHECK(wrong_tags(page) == "");
  CHECK(has(page, "done, 3 epochs"));
  CHECK(has(page, "<h3>Validation</h3>"));
  CHECK(has(page, "<b>encoder</b><small>GRU</small>"));
  CHECK(has(page, "mask [any, any]"));
  CHECK(has(page, "<th>openblas</th>"));
  CHECK(has(page, std::string(version())));
  CHECK(has(page, "values are trained"));
}

TEST_CASE("a report that cannot be written is said once and ends nothing; an error ends in it") {
  const files::TemporaryFolder folder;
  const Batches batches{toy_data(), {.batch_size = 8}};
  Sequential model = toy_model();
  Adam adam{model.parameters()};
  const auto history =
      fit(model, adam, batches,
          {.loss = toy_loss, .epochs = 3, .report = folder / "no/report.html", .progress = off});
  CHECK(history.epochs.size() == 3);
  REQUIRE(history.notes.size() == 1);
  CHECK(has(history.notes[0], "the training goes on, but: write_report: "));
  int calls = 0;
  const TrainingLoss bad{[&calls](const Batch& b, const Tensors& y) {
    const double scale = ++calls > 7 ? std::numeric_limits<double>::quiet_NaN() : 1;
    return sparse_categorical_crossentropy(b.target, y[0] * scale);
  }};
  const auto path = folder / "report.html";
  CHECK(throws<GradError>(
      [&] {
        fit(model, adam, batches, {.loss = bad, .epochs = 3, .report = path, .progress = off});
      },
      "the loss is nan"));
  const auto page = files::load(path);
  CHECK(has(page, "ended by an error"));
  CHECK(has(page, "fit: epoch 2, step 8 (batch 3 of 5)"));
}

}  // namespace
}  // namespace maskgrad::tests::test_report
