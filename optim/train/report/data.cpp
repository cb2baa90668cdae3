#include <maskgrad/optim/train/report/data.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/layers/model/flow.hpp>
#include <maskgrad/optim/train/report/html.hpp>

namespace maskgrad::report {
namespace {

using detail::grouped;

std::string lengths_text(const DataDescription::Bar& bar) {
  return bar.from == bar.to ? fmt::format("length {}", bar.from)
                            : fmt::format("lengths {} to {}", bar.from, bar.to);
}

/// A bar for each range of lengths, with its count above; below, where each range begins.
std::string histogram(const DataDescription& data) {
  constexpr double width = 480, height = 200;
  constexpr double left = 14, right = 466, top = 24, bottom = 164;
  const auto& bars = data.histogram;
  std::int64_t most = 1;
  for (const auto& bar : bars) most = std::max(most, bar.sequences);
  const double each = std::min(90.0, (right - left) / static_cast<double>(bars.size()));
  const bool single = std::all_of(bars.begin(), bars.end(), [](auto& b) { return b.from == b.to; });
  std::string text =
      fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"histogram of lengths\">\n",
                  width, height);
  double x = (left + right - each * static_cast<double>(bars.size())) / 2;
  for (const auto& bar : bars) {
    const double share = static_cast<double>(bar.sequences) / static_cast<double>(most);
    const double tall = bar.sequences == 0 ? 0 : std::max(1.5, share * (bottom - top));
    text += fmt::format(
        "<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\">"
        "<title>{}: {} sequences</title></rect>"
        "<text class=\"count\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>"
        "<text class=\"{}\" x=\"{:.1f}\" y=\"{}\">{}</text>\n",
        x + 2, bottom - tall, each - 4, tall, lengths_text(bar), grouped(bar.sequences),
        x + each / 2, bottom - tall - 5, brief(static_cast<double>(bar.sequences)),
        single ? "xtick" : "from", single ? x + each / 2 : x + 2, bottom + 17,
        brief(static_cast<double>(bar.from)));
    x += each;
  }
  return text + fmt::format(
                    "<path class=\"axis\" d=\"M{} {}H{}\"/>"
                    "<text class=\"name\" x=\"{}\" y=\"{}\">steps of a sequence{}</text>\n</svg>\n",
                    left, bottom + 0.5, right, (left + right) / 2, height - 3,
                    single ? "" : ", from");
}

std::string padding(const DataDescription& data) {
  const double share = data.padding();
  const auto inside = [](double s, std::string_view name) {
    return s < 0.12 ? std::string() : fmt::format("{} {}", name, percent(s));
  };
  return fmt::format(
      "<div class=\"shares\"><div style=\"width:{0:.2f}%\" title=\"valid {1}\">{2}</div>"
      "<div style=\"width:{3:.2f}%\" title=\"padding {4}\">{5}</div></div>\n"
      "<p class=\"soft\">Padded, the {6} batch{7} of an epoch would have {8} positions, {4} of "
      "them "
      "padding. None of it is stored or computed.</p>\n",
      100 * (1 - share), percent(1 - share), inside(1 - share, "valid"), 100 * share,
      percent(share), inside(share, "padding"), grouped(data.batches),
      data.batches == 1 ? "" : "es", grouped(data.positions));
}

}  // namespace

std::string data_box(std::string_view heading, const DataDescription& data) {
  std::string text = fmt::format("<div class=\"box\"><h3>{}</h3>\n", heading);
  if (data.sequences == 0) return text + "<p class=\"soft\">There are no sequences.</p></div>\n";
  text += fmt::format("<p>{} sequence{} of {} steps; length {} to {}, median {}, mean {}.</p>\n",
                      grouped(data.sequences), data.sequences == 1 ? "" : "s", grouped(data.steps),
                      grouped(data.shortest), grouped(data.longest), number(data.median),
                      number(data.mean));
  if (!data.histogram.empty()) text += histogram(data);
  if (data.positions > 0) text += padding(data);
  return text + "</div>\n";
}

}  // namespace maskgrad::report
