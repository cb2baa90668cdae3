#include <maskgrad/optim/train/report/settings.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/core/io/json.hpp>
#include <maskgrad/optim/train/report/html.hpp>
#include <maskgrad/optim/train/versions.hpp>

namespace maskgrad::report {
namespace {

using detail::SortedJson;

std::string shown(const SortedJson& value);

std::string plain(const SortedJson& value) {
  if (value.is_string()) return name_text(value.get_ref<const std::string&>(), 400);
  return escaped(detail::json_text(value));
}

/// `units 64  activation tanh`; what has parts of its own stands below.
std::string options(const SortedJson& object) {
  std::string here, below;
  for (const auto& [name, value] : object.items()) {
    const bool parts =
        value.is_object() || (value.is_array() && !value.empty() && value.front().is_structured());
    (parts ? below : here) +=
        fmt::format("<span class=\"{}\"><i>{}</i>{}</span>\n", parts ? "nested opt" : "opt",
                    name_text(name), shown(value));
  }
  return here + below;
}

std::string list(const SortedJson& array) {
  const bool parts =
      std::any_of(array.begin(), array.end(), [](auto& v) { return v.is_structured(); });
  std::string text;
  for (const auto& value : array) {
    if (parts) {
      text += fmt::format("<li>{}</li>\n", shown(value));
    } else {
      text += (text.empty() ? "" : ", ") + plain(value);
    }
  }
  return parts ? fmt::format("<ol>\n{}</ol>", text) : text;
}

std::string shown(const SortedJson& value) {
  if (value.is_null() || (value.is_array() && value.empty())) {
    return "<span class=\"soft\">none</span>";
  }
  if (value.is_array()) return list(value);
  if (!value.is_object()) return plain(value);
  const auto kind = value.find("class_name"), config = value.find("config");
  if (value.size() == 2 && kind != value.end() && config != value.end() && config->is_object()) {
    return fmt::format("<b>{}</b>{}", plain(*kind), options(*config));
  }
  return options(value);
}

std::string row(std::string_view name, const std::string& content) {
  return fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", name_text(name), content);
}

std::string table(const std::string& rows) {
  return fmt::format("<table class=\"settings\"><tbody>\n{}</tbody></table>\n", rows);
}

SortedJson parsed(const std::string& text) {
  SortedJson json = detail::parse_own_json(text);
  return json.is_object() ? json : SortedJson::object();
}

/// Stands in a box of its own.
bool is_apart(std::string_view name) {
  return name == "seed" || name == "model_seed" || name == "versions" || name == "model";
}

}  // namespace

std::string settings(const History& history) {
  const SortedJson all = parsed(history.settings);
  std::string rows;
  for (const auto& [name, value] : all.items()) {
    if (!is_apart(name)) rows += row(name, shown(value));
  }
  if (all.contains("model") && !all["model"].is_null()) rows += row("model", shown(all["model"]));
  if (rows.empty()) return "";
  return section("Settings", fmt::format("<div class=\"box\">{}</div>\n", table(rows)));
}

std::string seeds_and_versions(const History& history, const Flow* flow) {
  const SortedJson all = parsed(history.settings);
  std::string seeds, versions;
  const auto seed = [&](const char* pointer, std::string_view what, std::string_view zero) {
    const SortedJson::json_pointer at(pointer);
    if (!all.contains(at)) return;
    const auto said = all.at(at) == 0 ? zero : std::string_view();
    seeds += row(what, plain(all.at(at)) + std::string(said));
  };
  seed("/model_seed", "weights", "");
  seed("/batches/seed", "order of batches", "");
  seed("/seed", "dropout, noise", " (by the step alone)");
  const SortedJson own = all.value("versions", parsed(detail::versions()));
  for (const auto& [name, value] : own.items()) versions += row(name, plain(value));
  if (flow && !flow->outputs().empty()) {
    versions += row("type", std::string(name(flow->outputs()[0].dtype())));
  }
  std::string text = "<div class=\"pair\">\n";
  if (!seeds.empty())
    text += fmt::format("<div class=\"box\"><h3>Seeds</h3>\n{}</div>\n", table(seeds));
  text += fmt::format("<div class=\"box\"><h3>Versions</h3>\n{}</div>\n", table(versions));
  return section("To run it again", text + "</div>\n");
}

}  // namespace maskgrad::report
