#include <maskgrad/optim/train/report.hpp>

#include <fmt/format.h>

#include <ctime>

#include <maskgrad/core/io/atomic_file.hpp>
#include <maskgrad/core/io/json.hpp>
#include <maskgrad/core/quoted.hpp>
#include <maskgrad/core/version.hpp>
#include <maskgrad/optim/train/report/data.hpp>
#include <maskgrad/optim/train/report/flow_drawing.hpp>
#include <maskgrad/optim/train/report/html.hpp>
#include <maskgrad/optim/train/report/results.hpp>
#include <maskgrad/optim/train/report/settings.hpp>
#include <maskgrad/optim/train/report/style.hpp>

namespace maskgrad {
namespace {

std::string now() {
  const std::time_t time = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&time, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M %Z", &parts)};
}

/// How far it came, as a pill.
std::string state(const History& history, const ReportOptions& options) {
  const auto pill = [](std::string_view kind, const std::string& text) {
    return fmt::format("<span class=\"state {}\">{}</span>\n", kind, text);
  };
  const auto done = history.epochs.empty() ? 0 : history.epochs.back().epoch;
  if (!options.failure.empty()) return pill("bad", "ended by an error");
  if (history.interrupted) return pill("warn", fmt::format("interrupted after epoch {}", done));
  if (history.stopped_early)
    return pill("good", fmt::format("stopped early, after epoch {}", done));
  const auto settings = detail::parse_own_json(history.settings);
  if (!settings.is_object() || !settings.contains("epochs") ||
      !settings["epochs"].is_number_integer()) {
    return pill("good", fmt::format("{} epochs", done));
  }
  const auto all = settings["epochs"].get<std::int64_t>();
  return done < all ? pill("warn", fmt::format("{} of {} epochs", done, all))
                    : pill("good", fmt::format("done, {} epochs", done));
}

std::string notes(const History& history, const ReportOptions& options) {
  std::string text;
  if (!options.failure.empty()) {
    text += fmt::format("<p class=\"note bad\">{}</p>\n",
                        report::escaped(detail::message_text(options.failure)));
  }
  for (const auto& note : history.notes) {
    text += fmt::format("<p class=\"note\">{}</p>\n", report::escaped(detail::message_text(note)));
  }
  if (history.epochs.empty()) text += "<p class=\"note\">No epoch was finished.</p>\n";
  return text;
}

std::string lengths(const ReportOptions& options) {
  std::string text;
  if (options.data) text += report::data_box("Training", *options.data);
  if (options.validation) text += report::data_box("Validation", *options.validation);
  if (text.empty()) return "";
  return report::section("Lengths and padding",
                         fmt::format("<div class=\"pair\">\n{}</div>\n", text));
}

}  // namespace

std::string report_html(const History& history, const ReportOptions& options) {
  const auto title = report::name_text(options.title);
  const auto when = options.when.empty() ? now() : options.when;
  std::string page = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"generator\" content=\"maskgrad {}\">\n<title>{}</title>\n"
      "<link rel=\"icon\" href=\"data:,\">\n<style>{}</style>\n</head>\n<body>\n<main>\n"
      "<header><h1>{}</h1>\n{}<p>{}</p></header>\n",
      version(), title, report::style(), title, state(history, options), report::escaped(when));
  page += notes(history, options);
  page += report::headline(history, options.parameters);
  page += report::results(history) + report::curves(history) + report::epochs(history);
  page += lengths(options);
  if (options.model) page += report::section("Mask flow", report::draw(*options.model));
  page += report::settings(history);
  page += report::seeds_and_versions(history, options.model ? &*options.model : nullptr);
  return page + fmt::format("<footer>made by maskgrad {}</footer>\n</main>\n</body>\n</html>\n",
                            version());
}

void write_report(const std::filesystem::path& path, const History& history,
                  const ReportOptions& options) {
  const auto page = report_html(history, options);
  write_file(path, std::as_bytes(std::span(page)), "write_report");
}

}  // namespace maskgrad
