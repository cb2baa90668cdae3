#include <maskgrad/optim/train/report/chart.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <maskgrad/optim/train/report/axis.hpp>
#include <maskgrad/optim/train/report/html.hpp>

namespace maskgrad::report {
namespace {

constexpr double width = 480, height = 252;
constexpr double left = 60, right = 466, top = 34, bottom = 216;
constexpr std::size_t most_points = 800;   // of a line, about two a pixel
constexpr std::size_t most_columns = 150;  // that answer to the pointer
constexpr std::size_t most_dots = 32;

struct Point {
  double x = 0, y = 0;
};

const char* color(const Line& line) {
  return line.validation ? "valid" : "train";
}

/// The lowest and the highest point of each stretch, so that no peak is lost.
std::vector<Point> thinned(std::vector<Point> points) {
  if (points.size() <= most_points) return points;
  std::vector<Point> kept;
  const std::size_t stretches = most_points / 2;
  for (std::size_t s = 0; s < stretches; ++s) {
    const auto at = [&](std::size_t i) {
      return points.begin() + static_cast<std::ptrdiff_t>(i * points.size() / stretches);
    };
    auto [a, b] = std::minmax_element(at(s), at(s + 1), [](auto& p, auto& q) { return p.y < q.y; });
    if (b < a) std::swap(a, b);
    kept.push_back(*a);
    if (a != b) kept.push_back(*b);
  }
  return kept;
}

class Drawing {
 public:
  explicit Drawing(const Chart& chart) : chart_(chart) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const auto& line : chart.lines) {
      for (const double v : line.values) {
        if (!std::isfinite(v)) continue;
        low = std::min(low, v);
        high = std::max(high, v);
      }
    }
    empty_ = !(low <= high);
    if (empty_) return;
    y_ = Axis::of_values(low, high, {bottom, top}, chart.may_be_log);
    x_ = Axis::of_epochs(chart.epochs.front(), chart.epochs.back(), {left, right});
  }

  std::string svg() {
    out_ = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{} over epochs\">\n",
                       width, height, name_text(chart_.title));
    if (empty_) {
      out_ += fmt::format("<text class=\"none\" x=\"{}\" y=\"{}\">nothing was counted</text>\n",
                          width / 2, height / 2);
    } else {
      axes();
      marks();
      for (const auto& line : chart_.lines) curve(line);
      columns();
    }
    return out_ + "</svg>\n";
  }

 private:
  double x(std::size_t i) const { return x_.at(static_cast<double>(chart_.epochs[i])); }

  void axes() {
    for (const auto& tick : y_.ticks()) {
      const double y = y_.at(tick.value);
      out_ += fmt::format(
          "<path class=\"grid\" d=\"M{} {:.1f}H{}\"/><text class=\"ytick\" x=\"{}\" "
          "y=\"{:.1f}\">{}</text>\n",
          left, y, right, left - 8, y + 4, tick.text);
    }
    for (const auto& tick : x_.ticks()) {
      const double x = x_.at(tick.value);
      out_ += fmt::format(
          "<path class=\"axis\" d=\"M{:.1f} {}v4\"/><text class=\"xtick\" x=\"{:.1f}\" "
          "y=\"{}\">{}</text>\n",
          x, bottom, x, bottom + 17, tick.text);
    }
    out_ += fmt::format(
        "<path class=\"axis\" d=\"M{} {}H{}\"/>"
        "<text class=\"name\" x=\"{}\" y=\"{}\">epoch</text>\n",
        left, bottom, right, (left + right) / 2, height - 3);
    if (y_.is_log()) {
      out_ +=
          fmt::format("<text class=\"scale\" x=\"{}\" y=\"{}\">log scale</text>\n", left - 44, 12);
    }
  }

  /// A line across at an epoch, with its name above it.
  void mark(const char* kind, double epoch, const std::string& text) {
    const double x = x_.at(epoch);
    const bool before = x > (left + right) / 2;
    out_ += fmt::format(
        "<path class=\"{} mark\" d=\"M{:.1f} {}V{}\"/><text class=\"{}\" x=\"{:.1f}\" y=\"{}\""
        "{}>{}</text>\n",
        kind, x, top, bottom, kind, before ? x + 1 : x - 1, top - 5,
        before ? " text-anchor=\"end\"" : "", text);
  }

  void marks() {
    const auto& epochs = chart_.epochs;
    if (chart_.resumed_after >= epochs.front() && chart_.resumed_after < epochs.back()) {
      mark("resumed", static_cast<double>(chart_.resumed_after) + 0.5, "resumed");
    }
    if (chart_.best && std::find(epochs.begin(), epochs.end(), *chart_.best) != epochs.end()) {
      mark("best", static_cast<double>(*chart_.best), fmt::format("best: {}", *chart_.best));
    }
  }

  void curve(const Line& line) {
    std::vector<Point> run;
    const auto end_run = [&] {
      if (run.size() == 1) dot(line, run[0], 2.6);
      if (run.size() > 1) {
        out_ += fmt::format("<polyline class=\"{}\" points=\"", color(line));
        for (const auto& p : thinned(run)) out_ += fmt::format("{:.1f},{:.1f} ", p.x, p.y);
        out_.back() = '"';
        out_ += "/>\n";
        if (run.size() <= most_dots) {
          for (const auto& p : run) dot(line, p, 2.2);
        }
      }
      run.clear();
    };
    for (std::size_t i = 0; i < line.values.size(); ++i) {
      if (std::isfinite(line.values[i])) {
        run.push_back({x(i), y_.at(line.values[i])});
      } else {
        end_run();
      }
    }
    end_run();
  }

  void dot(const Line& line, const Point& p, double radius) {
    out_ += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"/>\n",
                        color(line), p.x, p.y, radius);
  }

  /// A column for each epoch, or each so many: what is in it shows where the pointer is over it.
  void columns() {
    std::vector<std::size_t> shown;
    const std::size_t count = chart_.epochs.size();
    const std::size_t every = (count + most_columns - 1) / most_columns;
    for (std::size_t i = 0; i < count; ++i) {
      if (i % every == 0 || i + 1 == count || chart_.best == chart_.epochs[i]) shown.push_back(i);
    }
    for (std::size_t k = 0; k < shown.size(); ++k) {
      const double own = x(shown[k]);
      const double from = k == 0 ? left : (x(shown[k - 1]) + own) / 2;
      const double to = k + 1 == shown.size() ? right : (x(shown[k + 1]) + own) / 2;
      column(shown[k], from, to);
    }
  }

  void column(std::size_t i, double from, double to) {
    out_ += fmt::format(
        "<g class=\"at\"><rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"/>"
        "<path d=\"M{:.1f} {}V{}\"/>",
        from, top, to - from, bottom - top, x(i), top, bottom);
    std::string values;
    for (const auto& line : chart_.lines) {
      if (std::isfinite(line.values[i])) dot(line, {x(i), y_.at(line.values[i])}, 4);
      values += fmt::format("<tspan class=\"{}\" dx=\"9\">● {}</tspan>", color(line),
                            number(line.values[i]));
    }
    out_ += fmt::format("<text x=\"{}\" y=\"{}\">epoch {}{}</text></g>\n", right, 12,
                        chart_.epochs[i], values);
  }

  const Chart& chart_;
  Axis x_, y_;
  bool empty_ = true;
  std::string out_;
};

}  // namespace

std::string draw(const Chart& chart) {
  std::string legend;
  for (const auto& line : chart.lines) {
    legend += fmt::format("<span class=\"key {}\">{}</span>", color(line), name_text(line.name));
  }
  return fmt::format(
      "<figure>\n<figcaption><b>{}</b><span class=\"keys\">{}</span></figcaption>\n{}</figure>\n",
      name_text(chart.title), legend, Drawing(chart).svg());
}

}  // namespace maskgrad::report
