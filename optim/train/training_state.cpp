#include <maskgrad/optim/train/training_state.hpp>

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include <maskgrad/core/quoted.hpp>

namespace maskgrad::detail {
namespace {

using Json = nlohmann::json;

constexpr int version = 1;

/// A number, or the name of one that JSON does not have.
Json number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}
double number(const Json& json) {
  if (json.is_number()) return json.get<double>();
  const auto& text = json.get_ref<const std::string&>();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  return text == "-inf" ? -infinity : infinity;
}

Json numbers(const std::vector<double>& values) {
  Json array = Json::array();
  for (double v : values) array.push_back(number(v));
  return array;
}
std::vector<double> numbers(const Json& json) {
  std::vector<double> values;
  for (const auto& v : json) values.push_back(number(v));
  return values;
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
EpochRecord record(const Json& json) {
  EpochRecord r{json.at("epoch"),
                json.at("steps"),
                json.at("skipped"),
                json.at("rows"),
                json.at("padding"),
                {},
                json.value("fallen_away", std::int64_t{0}),
                json.value("infeasible", std::int64_t{0})};
  for (const auto& entry : json.at("logs")) {
    r.logs.set(entry.at(0).get<std::string>(), number(entry.at(1)));
  }
  return r;
}

/// As a difference shows it: short.
std::string shown(const Json& value) {
  return printable(value.dump(-1, ' ', false, Json::error_handler_t::replace), 60);
}

}  // namespace

std::string to_json(const TrainingState& s) {
  Json json{{"version", version},
            {"epoch", s.epoch},
            {"batch", s.batch},
            {"step", s.step},
            {"applied", s.applied},
            {"skipped", s.skipped},
            {"rows", s.rows},
            {"padding", s.padding},
            {"seconds", number(s.seconds)},
            {"loss", numbers(s.loss)},
            {"fallen_away", s.fallen_away},
            {"infeasible", s.infeasible}};
  json["metrics"] = Json::array();
  for (const auto& m : s.metrics) json["metrics"].push_back(numbers(m));
  json["base_rate"] = number(s.base_rate);
  json["rate"] = number(s.rate);
  json["schedule"] = numbers(s.schedule);
  json["best"] = s.best ? number(*s.best) : Json();
  json["best_epoch"] = s.best_epoch ? Json(*s.best_epoch) : Json();
  json["waited"] = s.waited;
  json["stopped_early"] = s.stopped_early;
  json["epochs"] = Json::array();
  for (const auto& r : s.epochs) json["epochs"].push_back(record(r));
  json["reductions"] = s.reductions;
  json["settings"] = Json::parse(s.settings);
  // A name that is no UTF-8 is written as far as it can be.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

TrainingState training_state_from(std::string_view from, std::string_view text) {
  try {
    const Json json = Json::parse(text);
    if (json.at("version") != version) {
      fail<FileError>("checkpoint", "{} is of version {}; expected {}", from,
                      shown(json.at("version")), version);
    }
    TrainingState s;
    const auto integer = [&](const char* name, std::int64_t& value) {
      json.at(name).get_to(value);
    };
    integer("epoch", s.epoch);
    integer("batch", s.batch);
    integer("step", s.step);
    integer("applied", s.applied);
    integer("skipped", s.skipped);
    integer("rows", s.rows);
    integer("padding", s.padding);
    integer("waited", s.waited);
    s.fallen_away = json.value("fallen_away", std::int64_t{0});  // not in files of before
    s.infeasible = json.value("infeasible", std::int64_t{0});
    s.seconds = number(json.at("seconds"));
    s.loss = numbers(json.at("loss"));
    for (const auto& m : json.at("metrics")) s.metrics.push_back(numbers(m));
    s.base_rate = number(json.at("base_rate"));
    s.rate = number(json.at("rate"));
    s.schedule = numbers(json.at("schedule"));
    if (!json.at("best").is_null()) s.best = number(json.at("best"));
    if (!json.at("best_epoch").is_null()) s.best_epoch = json.at("best_epoch").get<std::int64_t>();
    s.stopped_early = json.at("stopped_early").get<bool>();
    for (const auto& r : json.at("epochs")) s.epochs.push_back(record(r));
    s.reductions = json.at("reductions").get<std::string>();
    s.settings = json.at("settings").dump();
    return s;
  } catch (const nlohmann::json::exception& error) {
    fail<FileError>("checkpoint", "{} does not say where its training stood ({})", from,
                    error.what());
  }
}

std::vector<SettingsDifference> differences(const std::string& saved, const std::string& now) {
  const Json before = Json::parse(saved), after = Json::parse(now);
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
