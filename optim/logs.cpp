#include <maskgrad/optim/logs.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include <maskgrad/core/nearest.hpp>
#include <maskgrad/layers/layer/option_choice.hpp>
#include <maskgrad/optim/optimizer.hpp>

namespace maskgrad {
namespace {

constexpr std::array betters = {Better::automatic, Better::lower, Better::higher};

}  // namespace

bool detail::is_higher_better(std::string_view monitor, Better better) {
  if (better != Better::automatic) return better == Better::higher;
  constexpr std::array<std::string_view, 6> scores = {"accuracy", "precision", "recall",
                                                      "f1",       "auc",       "r2"};
  return std::any_of(scores.begin(), scores.end(),
                     [&](auto score) { return monitor.find(score) != monitor.npos; });
}

void Logs::set(std::string_view name, double value) {
  for (auto& entry : values_) {
    if (entry.first == name) return void(entry.second = value);
  }
  values_.emplace_back(name, value);
}

std::optional<double> Logs::find(std::string_view name) const {
  for (const auto& entry : values_) {
    if (entry.first == name) return entry.second;
  }
  return {};
}

double Logs::at(std::string_view where, std::string_view name) const {
  if (const auto found = find(name)) return *found;
  std::vector<std::string_view> names;
  for (const auto& entry : values_) names.push_back(entry.first);
  fail<OptionError>(where,
                    "the epoch has no value '{}'; {}. What begins with val_ needs validation", name,
                    nearest_hint(name, names));
}

std::string_view name(Better better) {
  return better == Better::automatic ? "automatic" : better == Better::lower ? "lower" : "higher";
}

void extend::read_option(OptionReader& reader, OptionName option, Better& value) {
  detail::read_choice(reader, option, value, betters);
}
void extend::write_option(OptionWriter& writer, OptionName option, const Better& value) {
  writer(option, std::string(name(value)));
}

detail::MonitoredValue::MonitoredValue(std::string_view where, std::string monitor, Better better,
                                       double min_delta)
    : where_(where),
      monitor_(std::move(monitor)),
      higher_(detail::is_higher_better(monitor_, better)),
      min_delta_(min_delta) {
  check::option(where, "min_delta", min_delta, 0, INFINITY);
}

bool detail::MonitoredValue::better(const Logs& logs) {
  const double now = logs.at(where_, monitor_);
  const double sign = higher_ ? 1 : -1;
  // A loss of -inf, which nothing is better than, is no best: something has gone wrong.
  if (!std::isfinite(now) || (best_ && !(sign * now > sign * *best_ + min_delta_))) return false;
  best_ = now;
  return true;
}

void detail::MonitoredValue::set_best(std::optional<double> best) {
  best_ = best && std::isfinite(*best) ? best : std::nullopt;
}

}  // namespace maskgrad
