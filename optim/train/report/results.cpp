#include <maskgrad/optim/train/report/results.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <maskgrad/core/io/json.hpp>
#include <maskgrad/layers/model/flow.hpp>
#include <maskgrad/optim/train/progress.hpp>
#include <maskgrad/optim/train/report/chart.hpp>
#include <maskgrad/optim/train/report/html.hpp>

namespace maskgrad::report {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t most_rows = 400;  // of the table of epochs

using detail::grouped;

double value(const EpochRecord& record, const std::string& name) {
  return record.logs.find(name).value_or(nan);
}

/// What any epoch has a value of, in order.
std::vector<std::string> names_of(const History& history) {
  std::vector<std::string> names;
  for (const auto& record : history.epochs) {
    for (const auto& entry : record.logs.values()) {
      if (std::find(names.begin(), names.end(), entry.first) == names.end()) {
        names.push_back(entry.first);
      }
    }
  }
  return names;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Loss and metrics, each once, whether it was trained on, validated or both.
std::vector<std::string> measures(const std::vector<std::string>& names) {
  std::vector<std::string> all;
  for (const auto& name : names) {
    const bool cost = name == "learning_rate" || name == "rows_per_second" ||
                      name == "padding_skipped" || name == "seconds";
    const bool pair = name.starts_with("val_") && has(names, name.substr(4));
    if (!cost && !pair) all.push_back(name);
  }
  return all;
}

std::string card(std::string_view name, const std::string& value, const std::string& more) {
  return fmt::format("<div><dt>{}</dt><dd>{}</dd><dd>{}</dd></div>\n", name_text(name), value,
                     more);
}

std::string cost_cards(const History& history) {
  double seconds = 0, rows = 0, padding = 0, training_seconds = 0;
  for (const auto& record : history.epochs) {
    const double rate = value(record, "rows_per_second"), took = value(record, "seconds");
    rows += static_cast<double>(record.rows);
    padding += static_cast<double>(record.padding);
    if (rate > 0) training_seconds += static_cast<double>(record.rows) / rate;
    if (took > 0) seconds += took;
  }
  const auto epochs = static_cast<double>(history.epochs.size());
  std::string text;
  if (training_seconds > 0) {
    text += card("valid rows/s", detail::short_number(rows / training_seconds),
                 brief(std::round(rows)) + " in all");
  }
  if (rows + padding > 0) {
    text += card("padding skipped", percent(padding / (rows + padding)),
                 fmt::format("{} rows never computed", brief(padding)));
  }
  if (seconds > 0) {
    text += card("time", time_text(seconds), time_text(seconds / epochs) + " an epoch");
  }
  return text;
}

}  // namespace

BestEpoch best_epoch(const History& history) {
  const auto& epochs = history.epochs;
  BestEpoch best;
  if (history.best_epoch) {
    const auto settings = detail::parse_own_json(history.settings);
    const detail::SortedJson::json_pointer monitor("/early_stopping/monitor");
    if (settings.contains(monitor) && settings.at(monitor).is_string()) {
      best.monitor = settings.at(monitor).get<std::string>();
    }
    for (std::size_t i = 0; i < epochs.size(); ++i) {
      if (epochs[i].epoch == *history.best_epoch) best.at = i;
    }
    return best;
  }
  for (const char* monitor : {"val_loss", "loss"}) {
    for (std::size_t i = 0; i < epochs.size(); ++i) {
      const double now = value(epochs[i], monitor);
      if (std::isnan(now) || (best.at && now >= value(epochs[*best.at], monitor))) continue;
      best.at = i;
    }
    best.monitor = monitor;
    if (best.at) return best;
  }
  return best;
}

std::string headline(const History& history, std::int64_t parameters) {
  const auto best = best_epoch(history);
  const auto names = names_of(history);
  std::string text = "<dl class=\"cards\">\n";
  if (best.at) {
    const auto& record = history.epochs[*best.at];
    text += card("best epoch", std::to_string(record.epoch),
                 fmt::format("of {}{}", history.epochs.back().epoch,
                             best.monitor.empty() ? "" : ", by " + name_text(best.monitor)));
    int shown = 0;
    for (const auto& measure : measures(names)) {
      const auto name = has(names, "val_" + measure) ? "val_" + measure : measure;
      if (++shown > 3) break;
      text += card(name, number(value(record, name)),
                   fmt::format("at the end {}", number(value(history.epochs.back(), name))));
    }
  }
  text += cost_cards(history);
  if (parameters > 0)
    text += card("parameters", detail::short_number(double(parameters)),
                 fmt::format("{} values are trained", grouped(parameters)));
  return text + "</dl>\n";
}

std::string results(const History& history) {
  const auto best = best_epoch(history);
  const auto names = names_of(history);
  if (!best.at) return "";
  const bool validated = std::any_of(names.begin(), names.end(),
                                     [](const auto& name) { return name.starts_with("val_"); });
  const char* sub = validated ? "<th>training</th><th>validation</th>" : "<th>training</th>";
  std::string text = fmt::format(
      "<div class=\"box wide\"><table class=\"numbers\">\n<thead>"
      "<tr><th></th><th class=\"group\" colspan=\"{0}\">best epoch, {1}</th>"
      "<th class=\"group\" colspan=\"{0}\">last epoch, {2}</th></tr>\n"
      "<tr><th></th>{3}{3}</tr></thead>\n<tbody>\n",
      validated ? 2 : 1, history.epochs[*best.at].epoch, history.epochs.back().epoch, sub);
  for (const auto& measure : measures(names)) {
    text += fmt::format("<tr><th>{}</th>", name_text(measure));
    for (const auto* record : {&history.epochs[*best.at], &history.epochs.back()}) {
      text += fmt::format("<td>{}</td>", number(value(*record, measure)));
      if (validated) text += fmt::format("<td>{}</td>", number(value(*record, "val_" + measure)));
    }
    text += "</tr>\n";
  }
  return section("Results", text + "</tbody></table></div>\n");
}

std::string curves(const History& history) {
  if (history.epochs.empty()) return "";
  const auto names = names_of(history);
  const auto best = best_epoch(history);
  Chart chart;
  for (const auto& record : history.epochs) chart.epochs.push_back(record.epoch);
  const bool in_order = std::is_sorted(chart.epochs.begin(), chart.epochs.end(), std::less_equal{});
  if (!in_order) {
    for (std::size_t i = 0; i < chart.epochs.size(); ++i) {
      chart.epochs[i] = static_cast<std::int64_t>(i) + 1;
    }
  }
  if (best.at) chart.best = chart.epochs[*best.at];
  chart.resumed_after = history.first_epoch;
  auto drawn = measures(names);
  for (const char* cost : {"learning_rate", "rows_per_second"}) {
    if (has(names, cost)) drawn.emplace_back(cost);
  }
  std::string text = "<div class=\"pair\">\n";
  for (const auto& name : drawn) {
    chart.title = name == "learning_rate"     ? "learning rate"
                  : name == "rows_per_second" ? "valid rows a second"
                                              : name;
    chart.may_be_log = !detail::is_higher_better(name) && name != "rows_per_second";
    chart.lines.clear();
    for (const auto& line : {name, "val_" + name}) {
      if (!has(names, line)) continue;
      chart.lines.push_back({line, line.starts_with("val_"), {}});
      for (const auto& record : history.epochs) {
        chart.lines.back().values.push_back(value(record, line));
      }
    }
    text += draw(chart);
  }
  return section("Curves", text + "</div>\n");
}

std::string epochs(const History& history) {
  const auto& all = history.epochs;
  if (all.empty()) return "";
  const auto names = names_of(history);
  const auto best = best_epoch(history);
  const std::size_t every = (all.size() + most_rows - 1) / most_rows;
  std::string text =
      fmt::format("<details class=\"box\"><summary>All numbers of {} epoch{}</summary>\n",
                  all.size(), all.size() == 1 ? "" : "s");
  if (every > 1) {
    text += fmt::format("<p class=\"soft\">Every {}th is shown, the best and the last one.</p>\n",
                        every);
  }
  text += "<div class=\"wide\"><table class=\"numbers\">\n<thead><tr><th>epoch</th>";
  for (const auto& name : names) text += fmt::format("<th>{}</th>", name_text(name));
  text += "<th>valid rows</th><th>steps applied</th></tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i % every != 0 && i + 1 != all.size() && best.at != i) continue;
    text += fmt::format("<tr{}><th>{}</th>", best.at == i ? " class=\"best\"" : "", all[i].epoch);
    for (const auto& name : names) {
      const double v = value(all[i], name);
      text += fmt::format("<td>{}</td>", name == "padding_skipped" ? percent(v) : number(v));
    }
    text +=
        fmt::format("<td>{}</td><td>{}</td></tr>\n", grouped(all[i].rows), grouped(all[i].steps));
  }
  return section("Epochs", text + "</tbody></table></div></details>\n");
}

}  // namespace maskgrad::report
