#include <fmt/format.h>

#include <algorithm>
#include <map>

#include <maskgrad/layers/keras/lint.hpp>
#include <maskgrad/layers/keras/lint_view.hpp>

namespace maskgrad {
namespace {

using detail::LintMark;

std::string escaped_html(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}
std::string escaped_dot(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '"' || c == '\\') safe += '\\';
    safe += c == '\n' ? ' ' : c;
  }
  return safe;
}

// Rows of boxes from the inputs down: each call stands below all that it reads.
struct PictureLayout {
  explicit PictureLayout(const Lint& lint) {
    const auto calls = lint.calls.size();
    row.assign(calls + lint.inputs.size(), 0);
    for (std::size_t c = 0; c < calls; ++c) {
      for (const auto& [from, mask] : lint.calls[c].sources) {
        if (from < row.size()) row[c] = std::max(row[c], row[from] + 1);
      }
      row[c] = std::max(row[c], 1);
    }
    std::map<int, int> used;
    for (std::size_t i = 0; i < row.size(); ++i) {
      column.push_back(used[row[i]]++);
      rows = std::max(rows, row[i] + 1);
    }
    for (const auto& [r, count] : used) columns = std::max(columns, count);
    for (std::size_t i = 0; i < row.size(); ++i) in_row.push_back(used[row[i]]);
    for (std::size_t c = 0; c < calls; ++c) {
      for (const auto& [from, mask] : lint.calls[c].sources) {
        if (from >= row.size() || row[c] - row[from] < 2) continue;
        (on_left(from) ? passes_left : passes_right) = true;
      }
    }
    if (passes_left) margin += aside;
  }
  // Of the two sides of the picture, that of the box; in the middle it is the right one.
  bool on_left(std::size_t i) const { return 2 * column[i] + 1 < in_row[i]; }
  int x(std::size_t i) const {
    return margin + (columns - in_row[i]) * (width + gap) / 2 + column[i] * (width + gap);
  }
  int y(std::size_t i) const { return 20 + row[i] * (height + 34); }

  static constexpr int width = 240, height = 44, gap = 24, aside = 60;
  std::vector<int> row, column, in_row;
  int rows = 1, columns = 1;
  int margin = 20;
  bool passes_left = false, passes_right = false;  ///< lines that leave rows out
};

std::string shortened(const std::string& text, std::size_t most) {
  if (detail::lint_width(text) <= most) return text;
  std::string cut = text.substr(0, most - 1);
  while (!cut.empty() && (cut.back() & 0xc0) == 0x80) cut.pop_back();
  return cut + "...";
}

std::string svg_box(const PictureLayout& at, std::size_t i, const std::string& title,
                    const std::string& below, detail::LintColor color) {
  return fmt::format(
      "<g><title>{}</title><rect x='{}' y='{}' width='{}' height='{}' rx='6' fill='{}' "
      "stroke='{}'/>"
      "<text x='{}' y='{}' class='t'>{}</text><text x='{}' y='{}' class='s'>{}</text></g>\n",
      escaped_html(title), at.x(i), at.y(i), PictureLayout::width, PictureLayout::height,
      color.fill, color.line, at.x(i) + PictureLayout::width / 2, at.y(i) + 18,
      escaped_html(shortened(title, 28)), at.x(i) + PictureLayout::width / 2, at.y(i) + 35,
      escaped_html(shortened(below, 34)));
}

// A line from box to box; one that passes rows by goes round what stands between.
std::string svg_line(const PictureLayout& at, std::size_t from, std::size_t to, bool mask) {
  const char* kind = mask ? "m" : "p";
  if (at.row[to] - at.row[from] > 1) {
    const bool left = at.on_left(from);
    const int side = left ? 0 : PictureLayout::width;
    const int x1 = at.x(from) + side, x2 = at.x(to) + side;
    const int y1 = at.y(from) + PictureLayout::height / 2,
              y2 = at.y(to) + PictureLayout::height / 2;
    const int aside =
        left ? std::min(x1, x2) - PictureLayout::aside : std::max(x1, x2) + PictureLayout::aside;
    return fmt::format("<path d='M{} {} C{} {} {} {} {} {}' class='{}'/>\n", x1, y1, aside, y1,
                       aside, y2, x2, y2, kind);
  }
  const int x1 = at.x(from) + PictureLayout::width / 2, y1 = at.y(from) + PictureLayout::height;
  const int x2 = at.x(to) + PictureLayout::width / 2, y2 = at.y(to);
  return fmt::format("<path d='M{} {} C{} {} {} {} {} {}' class='{}'/>\n", x1, y1, x1,
                     (y1 + y2) / 2, x2, (y1 + y2) / 2, x2, y2, kind);
}

std::string svg_of(const Lint& lint) {
  const PictureLayout at(lint);
  const int width = 20 + at.margin + at.columns * (PictureLayout::width + PictureLayout::gap) +
                    (at.passes_right ? PictureLayout::aside : 0),
            height = 40 + at.rows * (PictureLayout::height + 34);
  std::string svg = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {0} {1}' width='{0}' role='img' "
      "aria-label='layers and masks'>\n",
      width, height);
  for (std::size_t c = 0; c < lint.calls.size(); ++c) {
    for (const auto& [from, mask] : lint.calls[c].sources) {
      if (from >= at.row.size()) continue;
      svg += svg_line(at, from, c, mask);
    }
  }
  for (std::size_t c = 0; c < lint.calls.size(); ++c) {
    const auto& call = lint.calls[c];
    const auto mark = detail::lint_mark(lint, call);
    const std::string does =
        call.does == "none" ? (mark == LintMark::bad ? "reads padding as data" : "") : call.does;
    svg += svg_box(at, c, call.class_name + " " + call.layer, does, detail::lint_color(mark));
  }
  for (std::size_t i = 0; i < lint.inputs.size(); ++i) {
    const auto& [name, shape] = lint.inputs[i];
    svg += svg_box(at, lint.calls.size() + i, name, "input " + detail::lint_shape(shape),
                   {"#ffffff", "#333333"});
  }
  return svg + "</svg>\n";
}

constexpr std::string_view page_style =
    "body{font:15px/1.5 system-ui,sans-serif;color:#1c2530;margin:2em "
    "auto;max-width:1100px;padding:0 1em;overflow-wrap:break-word}"
    "h1{overflow-wrap:anywhere}"
    "table{border-collapse:collapse;width:100%;margin:1em 0}td,th{text-align:left;padding:.25em "
    ".7em;"
    "border-bottom:1px solid #dde2e7;vertical-align:top}tr.bad td{background:#fbdcd6}tr.makes "
    "td{background:#d9f2e3}"
    "tr.reads td{background:#d8e8fb}tr.unknown "
    "td{background:#fdf0c8}.picture{overflow-x:auto;border:1px solid #dde2e7;"
    "border-radius:8px;padding:.5em}.verdict{font-size:1.2em;font-weight:600}"
    "svg .t{font:600 13px system-ui,sans-serif;text-anchor:middle}svg .s{font:12px "
    "system-ui,sans-serif;"
    "text-anchor:middle;fill:#4a5663}svg path{fill:none}.p{stroke:#9aa3ad;stroke-width:1.2}"
    ".m{stroke:#1d7a45;stroke-width:4}code{background:#eef1f4;padding:0 "
    ".3em}.wide{overflow-x:auto}";

std::string_view row_class(LintMark mark) {
  constexpr std::string_view names[] = {"", "makes", "reads", "", "bad", "unknown"};
  return names[static_cast<std::size_t>(mark)];
}

std::string html_list(std::string_view title, const std::vector<std::string>& list) {
  if (list.empty()) return {};
  std::string text = fmt::format("<h2>{}</h2>\n<ul>\n", title);
  for (const auto& one : list) text += "<li>" + escaped_html(one) + "</li>\n";
  return text + "</ul>\n";
}

std::string html_calls(const Lint& lint) {
  std::string text =
      "<div class='wide'><table><tr><th>layer</th><th>class</th><th>mask in</th><th>does</th>"
      "<th>mask out</th><th></th></tr>\n";
  for (const auto& call : lint.calls) {
    const auto mark = detail::lint_mark(lint, call);
    text += fmt::format(
        "<tr class='{}'><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        row_class(mark), escaped_html(call.layer), escaped_html(call.class_name),
        call.mask_in ? "yes" : "", call.does == "none" ? "" : call.does, call.mask_out ? "yes" : "",
        call.padded || mark != LintMark::none ? escaped_html(call.why) : "");
  }
  return text + "</table></div>\n";
}

std::string html_proof(const Lint& lint) {
  if (lint.proof.empty()) return {};
  std::string text =
      "<h2>How far outputs move when nothing but padding does</h2>\n<div "
      "class='wide'><table><tr><th>output</th>"
      "<th>alone or in a batch</th><th>padding 1e30</th><th>padding NaN</th></tr>\n";
  for (const auto& p : lint.proof) {
    text += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                        escaped_html(p.output), detail::lint_moved(p.alone),
                        detail::lint_moved(p.large), detail::lint_moved(p.nan));
  }
  return text + "</table></div>\n";
}

std::string dot_of(const Lint& lint) {
  std::string text =
      "digraph masks {\n  node [shape=box, style=\"filled,rounded\", fontname=\"sans-serif\"];\n";
  for (std::size_t c = 0; c < lint.calls.size(); ++c) {
    const auto color = detail::lint_color(detail::lint_mark(lint, lint.calls[c]));
    text +=
        fmt::format("  n{} [label=\"{} {}\\n{}\", fillcolor=\"{}\", color=\"{}\"];\n", c,
                    escaped_dot(lint.calls[c].class_name), escaped_dot(lint.calls[c].layer),
                    lint.calls[c].does == "none" ? "" : lint.calls[c].does, color.fill, color.line);
  }
  for (std::size_t i = 0; i < lint.inputs.size(); ++i) {
    text +=
        fmt::format("  n{} [label=\"{}\\n{}\", fillcolor=\"#ffffff\"];\n", lint.calls.size() + i,
                    escaped_dot(lint.inputs[i].first), detail::lint_shape(lint.inputs[i].second));
  }
  for (std::size_t c = 0; c < lint.calls.size(); ++c) {
    for (const auto& [from, mask] : lint.calls[c].sources) {
      text +=
          fmt::format("  n{} -> n{}{};\n", from, c, mask ? " [penwidth=4, color=\"#1d7a45\"]" : "");
    }
  }
  return text + "}\n";
}

std::string page_of(const Lint& lint) {
  std::string text = fmt::format(
      "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><meta name='viewport' "
      "content='width=device-width,initial-scale=1'><title>Masks in "
      "{0}</title>\n<style>{1}</style></head>\n<body>\n"
      "<h1>Masks in {0}</h1>\n<p>{2}, Keras {3}</p>\n<p "
      "class='verdict'>{4}</p>\n<p>{5}</p>\n<p>{6}</p>\n",
      escaped_html(lint.file), page_style, lint.container,
      lint.keras_version.empty() ? "of unknown version" : escaped_html(lint.keras_version),
      detail::lint_verdict(lint), escaped_html(lint.says),
      escaped_html(lint.padding_reaches_result_is));
  text +=
      "<p>A thick green line carries a mask. Red: padding is read as data, or the mask ends; "
      "green: the mask is "
      "made; blue: it is read; yellow: not known.</p>\n<div class='picture'>\n" +
      svg_of(lint) + "</div>\n<h2>Layer by layer</h2>\n" + html_calls(lint) + html_proof(lint);
  text += html_list("What to do", lint.what_to_do) + html_list("Of the file", lint.notes);
  return text + "</body></html>\n";
}

}  // namespace

std::string Lint::dot() const {
  return dot_of(detail::lint_printable(*this));
}
std::string Lint::html() const {
  return page_of(detail::lint_printable(*this));
}

}  // namespace maskgrad
