#include <maskgrad/optim/train/training_state.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include <maskgrad/core/io/json.hpp>
#include <maskgrad/core/quoted.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::int64_t state_version = 1;

/// A number, or the name of one that JSON does not have.
Json number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

Json numbers(const std::vector<double>& values) {
  Json array = Json::array();
  for (double v : values) array.push_back(number(v));
  return array;
}

Json record(const EpochRecord& r) {
  Json logs = Json::array();
  for (const auto& [name, value] : r.logs.values()) logs.push_back({name, number(value)});
  return {{"epoch", r.epoch},
          {"steps", r.steps},
          {"skipped", r.skipped},
          {"rows", r.rows},
          {"padding", r.padding},
          {"logs", logs},
          {"fallen_away", r.fallen_away},
          {"infeasible", r.infeasible}};
}
/// A text of our own making: a long training has many records.
JsonLimits unlimited() {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  return {most, most, most};
}
/// The file bounds the values by its length; what it says of the model is nested in it.
JsonLimits state_limits() {
  const auto& now = JsonLimitsScope::current();
  return {now.depth + 16, unlimited().values, now.layers};
}

/// As a difference shows it: short.
std::string shown(const Json& value) {
  return printable(json_text(value), 60);
}

}  // namespace

/// Reads a state strictly: nothing is converted, left out, or out of its range.
class StateReader {
 public:
  StateReader(std::string_view from, const Json& json) : from_(from), json_(json) {}
  TrainingState read() const;
  /// FileError where the numbers contradict each other.
  void check(const TrainingState& s) const;

 private:
  [[noreturn]] void refuse(std::string_view what, std::string_view expected) const {
    fail<FileError>("checkpoint", "{} does not say where its training stood ({}; expected {})",
                    from_, what, expected);
  }
  void require(bool holds, std::string_view what, std::string_view expected) const {
    if (!holds) refuse(what, expected);
  }
  const Json& at(const Json& object, const char* name) const {
    require(object.is_object(), shown(object), "an object");
    const auto found = object.find(name);
    require(found != object.end(), fmt::format("it has no '{}'", name), "one");
    return *found;
  }
  const Json& list(const Json& object, const char* name) const {
    const Json& found = at(object, name);
    require(found.is_array(), fmt::format("'{}' is {}", name, shown(found)), "an array");
    return found;
  }
  std::int64_t count(const Json& value, std::string_view name) const;
  std::int64_t count(const char* name) const { return count(at(json_, name), name); }
  double number(const Json& value) const;
  std::vector<double> numbers(const Json& array) const;
  EpochRecord record(const Json& json) const;
  void check_epochs(const TrainingState& s) const;

  std::string_view from_;
  const Json& json_;
};

std::int64_t StateReader::count(const Json& value, std::string_view name) const {
  const bool fits = value.is_number_integer() && value >= 0 && value <= 9'000'000'000'000'000;
  require(fits, fmt::format("'{}' is {}", name, shown(value)), "a whole number of 0 or more");
  return value.get<std::int64_t>();
}

double StateReader::number(const Json& value) const {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (value.is_number()) return value.get<double>();
  if (value == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (value == "inf") return infinity;
  if (value == "-inf") return -infinity;
  refuse(shown(value), "a number");
}

std::vector<double> StateReader::numbers(const Json& array) const {
  require(array.is_array(), shown(array), "an array of numbers");
  std::vector<double> values;
  for (const auto& v : array) values.push_back(number(v));
  return values;
}

EpochRecord StateReader::record(const Json& json) const {
  const auto of = [&](const char* name) { return count(at(json, name), name); };
  EpochRecord r{of("epoch"), of("steps"), of("skipped"), of("rows"), of("padding"), {}, 0};
  if (json.contains("fallen_away")) r.fallen_away = of("fallen_away");  // not in files of before
  if (json.contains("infeasible")) r.infeasible = of("infeasible");
  std::vector<std::string_view> names;
  for (const auto& entry : list(json, "logs")) {
    require(entry.is_array() && entry.size() == 2 && entry[0].is_string(), shown(entry),
            "a name and a number");
    names.push_back(entry[0].get_ref<const std::string&>());
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) refuse(fmt::format("an epoch has '{}' twice", *twice), "it once");
  require(names.size() <= 1000, fmt::format("an epoch has {} values", names.size()),
          "1000 or less");
  for (const auto& entry : list(json, "logs")) {
    r.logs.set(entry[0].get_ref<const std::string&>(), number(entry[1]));
  }
  return r;
}

TrainingState StateReader::read() const {
  const Json& found = at(json_, "version");
  if (found != state_version) {
    fail<FileError>("checkpoint", "{} is of version {}; expected {}", from_, shown(found),
                    state_version);
  }
  TrainingState s;
  RunState& run = s.run;
  EarlyStoppingState& early = s.early_stopping;
  run.epoch = count("epoch");
  run.batch = count("batch");
  run.step = count("step");
  run.applied = count("applied");
  run.skipped = count("skipped");
  run.rows = count("rows");
  run.padding = count("padding");
  early.waited = count("waited");
  if (json_.contains("fallen_away")) run.fallen_away = count("fallen_away");  // as above
  if (json_.contains("infeasible")) run.infeasible = count("infeasible");
  run.seconds = number(at(json_, "seconds"));
  run.loss = numbers(at(json_, "loss"));
  for (const auto& m : list(json_, "metrics")) run.metrics.push_back(numbers(m));
  s.rate.base = number(at(json_, "base_rate"));
  s.rate.now = number(at(json_, "rate"));
  s.rate.schedule = numbers(at(json_, "schedule"));
  if (!at(json_, "best").is_null()) early.best = number(at(json_, "best"));
  if (!at(json_, "best_epoch").is_null()) early.best_epoch = count("best_epoch");
  const Json &stopped = at(json_, "stopped_early"), &reductions = at(json_, "reductions");
  require(stopped.is_boolean() && reductions.is_string(), shown(stopped) + ", " + shown(reductions),
          "whether it stopped early, and the loss's reductions");
  early.stopped = stopped.get<bool>();
  for (const auto& r : list(json_, "epochs")) run.epochs.push_back(record(r));
  s.reductions = reductions.get<std::string>();
  const Json& settings = at(json_, "settings");
  require(settings.is_object(), fmt::format("'settings' is {}", shown(settings)), "an object");
  s.settings = json_text(settings);
  if (json_.contains("arrays")) s.arrays = count("arrays");
  return s;
}

void StateReader::check(const TrainingState& s) const {
  check_epochs(s);
  require(s.run.seconds >= 0 && std::isfinite(s.run.seconds),
          fmt::format("{} seconds", s.run.seconds), "0 or more");
  const bool rates = s.rate.base >= 0 && s.rate.now >= 0 && std::isfinite(s.rate.base + s.rate.now);
  require(rates, fmt::format("learning rates {} and {}", s.rate.base, s.rate.now), "0 or more");
  require(!s.early_stopping.best || !std::isnan(*s.early_stopping.best), "the best value is nan",
          "a number");
  // LossTotal: the batches, then sum, count, scale and 1 or 0 of each term.
  const auto& loss = s.run.loss;
  bool counted = loss.size() % 4 == 1 && loss[0] == static_cast<double>(s.run.batch);
  for (std::size_t i = 1; counted && i < loss.size(); i += 4) {
    counted = loss[i + 1] >= 0 && (loss[i + 3] == 0 || loss[i + 3] == 1);
  }
  require(counted && (s.run.batch == 0 || loss.size() > 1), "what the loss has counted",
          fmt::format("its terms over {} batches", s.run.batch));
}

void StateReader::check_epochs(const TrainingState& s) const {
  const RunState& run = s.run;
  const EarlyStoppingState& early = s.early_stopping;
  require(std::cmp_equal(run.epochs.size(), run.epoch),
          fmt::format("{} records", run.epochs.size()),
          fmt::format("{}, of the epochs done", run.epoch));
  std::int64_t epoch = 0, applied = 0, skipped = run.skipped;
  for (const auto& r : run.epochs) {
    require(r.epoch == ++epoch && r.steps >= applied && r.steps <= run.applied,
            fmt::format("the record of epoch {} has {} steps", r.epoch, r.steps),
            fmt::format("epoch {}, and {} to {} steps", epoch, applied, run.applied));
    applied = r.steps;
    skipped += r.skipped;
  }
  const auto all = static_cast<double>(run.applied) + static_cast<double>(skipped);
  require(static_cast<double>(run.step) == all && run.skipped <= run.batch &&
              early.waited <= run.epoch + 1,
          fmt::format("step {}, batch {}, {} epochs waited", run.step, run.batch, early.waited),
          fmt::format("{} applied and {} skipped, of which {} in this epoch", run.applied, skipped,
                      run.skipped));
  const bool there =
      !early.best_epoch || (*early.best_epoch >= 1 && *early.best_epoch <= run.epoch);
  require(there, "the best epoch is none of those done", "one of them");
}

std::string to_json(const TrainingState& s) {
  const RunState& run = s.run;
  const EarlyStoppingState& early = s.early_stopping;
  Json json{{"version", state_version},
            {"epoch", run.epoch},
            {"batch", run.batch},
            {"step", run.step},
            {"applied", run.applied},
            {"skipped", run.skipped},
            {"rows", run.rows},
            {"padding", run.padding},
            {"seconds", number(run.seconds)},
            {"loss", numbers(run.loss)},
            {"fallen_away", run.fallen_away},
            {"infeasible", run.infeasible}};
  json["metrics"] = Json::array();
  for (const auto& m : run.metrics) json["metrics"].push_back(numbers(m));
  json["base_rate"] = number(s.rate.base);
  json["rate"] = number(s.rate.now);
  json["schedule"] = numbers(s.rate.schedule);
  json["best"] = early.best ? number(*early.best) : Json();
  json["best_epoch"] = early.best_epoch ? Json(*early.best_epoch) : Json();
  json["waited"] = early.waited;
  json["stopped_early"] = early.stopped;
  json["epochs"] = Json::array();
  for (const auto& r : run.epochs) json["epochs"].push_back(record(r));
  json["reductions"] = s.reductions;
  json["settings"] = parse_json(s.settings, unlimited()).json;
  if (s.arrays >= 0) json["arrays"] = s.arrays;
  return json_text(json);
}

TrainingState training_state_from(std::string_view from, std::string_view text) {
  const auto [json, trouble] = parse_json(text, state_limits());
  if (!trouble.empty()) {
    fail<FileError>("checkpoint", "{} does not say where its training stood ({})", from, trouble);
  }
  const StateReader reader(from, json);
  TrainingState s = reader.read();
  reader.check(s);
  return s;
}

std::vector<SettingsDifference> differences(const std::string& saved, const std::string& now) {
  const Json before = parse_json(saved, unlimited()).json,
             after = parse_json(now, unlimited()).json;
  std::vector<SettingsDifference> all;
  for (const auto& step : Json::diff(before, after)) {
    const auto& path = step.at("path").get_ref<const std::string&>();
    const Json::json_pointer at(path);
    const std::string old = before.contains(at) ? shown(before.at(at)) : "nothing";
    const std::string fresh = step.contains("value") ? shown(step.at("value")) : "nothing";
    all.push_back(
        {path, fmt::format("{}, now {}", step.at("op") == "add" ? "nothing" : old, fresh)});
  }
  return all;
}

}  // namespace maskgrad::detail
