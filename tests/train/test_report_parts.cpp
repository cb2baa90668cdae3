#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include <maskgrad/optim/train/report/axis.hpp>
#include <maskgrad/optim/train/report/chart.hpp>
#include <maskgrad/optim/train/report/data.hpp>
#include <maskgrad/optim/train/report/html.hpp>

#include "train/html.hpp"

namespace maskgrad::tests::test_report_parts {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();

TEST_CASE("report: text is escaped, and what is no text is replaced") {
  using report::escaped;
  CHECK(escaped("a<b> & \"c\" 'd'") == "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
  CHECK(escaped("h\xC3\xB6he \xE2\x82\xAC \xF0\x9F\x98\x80") ==
        "h\xC3\xB6he \xE2\x82\xAC \xF0\x9F\x98\x80");
  const std::string no = "\xEF\xBF\xBD";
  CHECK(escaped("a\xFF"
                "b") == "a" + no + "b");
  CHECK(escaped("\xC3") == no);            // cut
  CHECK(escaped("\xC3<") == no + "&lt;");  // the next one counts
  CHECK(escaped("\xC0\xAF") == no + no);   // longer than it need be
  CHECK(escaped("\xE0\x80\xBC") == no + no + no);
  CHECK(escaped("\xED\xA0\x80") == no + no + no);           // half of a UTF-16 pair
  CHECK(escaped("\xF4\x90\x80\x80") == no + no + no + no);  // beyond the last character
  CHECK(escaped(std::string_view("\0\x1b\n\t\x7f", 5)) == no + no + "\n\t" + no);
  CHECK(escaped("") == "");
}

TEST_CASE("report: numbers as one writes them") {
  using report::number, report::brief;
  CHECK(number(0.412345) == "0.4123");
  CHECK(number(-1.5) == "-1.5");
  CHECK(number(0) == "0");
  CHECK(number(1e-5) == "1e-5");
  CHECK(number(1.25e-12) == "1.25e-12");
  CHECK(number(2e30) == "2e30");
  CHECK(number(123456.7) == "123,457");
  CHECK(number(-12345) == "-12,345");
  CHECK(number(nan) == "–");
  CHECK(number(inf) == "∞");
  CHECK(number(-inf) == "−∞");
  CHECK(brief(9999) == "9999");
  CHECK(brief(15000) == "15k");
  CHECK(brief(2.5e6) == "2.5M");
  CHECK(brief(-0.0) == "0");
  CHECK(report::percent(0.375) == "37.5 %");
  CHECK(report::percent(nan) == "–");
  CHECK(report::time_text(7.34) == "7.3 s");
  CHECK(report::time_text(750) == "12:30");
}

std::string ticks(const report::Axis& axis) {
  std::string text;
  for (const auto& tick : axis.ticks()) text += (text.empty() ? "" : " ") + tick.text;
  return text;
}

TEST_CASE("report: an axis ends at round numbers and holds all values") {
  using report::Axis;
  const report::Ends ends{100, 0};
  CHECK(ticks(Axis::of_values(0.13, 0.92, ends, false)) == "0.0 0.2 0.4 0.6 0.8 1.0");
  CHECK(ticks(Axis::of_values(0.9312, 0.9345, ends, false)) == "0.931 0.932 0.933 0.934 0.935");
  CHECK(ticks(Axis::of_values(-3, 12, ends, false)) == "-5 0 5 10 15");
  CHECK(ticks(Axis::of_values(18000, 52000, ends, false)) == "10k 20k 30k 40k 50k 60k");
  CHECK(ticks(Axis::of_values(0.5, 0.5, ends, false)) == "0.44 0.46 0.48 0.50 0.52 0.54 0.56");
  CHECK(ticks(Axis::of_values(0, 0, ends, false)) == "-1.0 -0.5 0.0 0.5 1.0");
  CHECK(ticks(Axis::of_values(0.0004, 2, ends, true)) == "0.0001 0.001 0.01 0.1 1 10");
  CHECK(ticks(Axis::of_values(0.03, 2, ends, true)) == "0.02 0.05 0.1 0.2 0.5 1 2");
  CHECK(Axis::of_values(0.03, 2, ends, true).is_log());
  CHECK(!Axis::of_values(0.1, 2, ends, true).is_log());
  CHECK(!Axis::of_values(0, 2, ends, true).is_log());
  CHECK(!Axis::of_values(0.01, 2, ends, false).is_log());
  for (const auto& range : std::vector<std::pair<double, double>>{{0.13, 0.92},
                                                                  {1e-9, 5},
                                                                  {-1e300, 1e300},
                                                                  {-inf, inf},
                                                                  {3e-320, 1e300},
                                                                  {7, 7},
                                                                  {1, 1 + 1e-15},
                                                                  {-5e-324, 0}}) {
    const double low = range.first, high = range.second;  // clang++ 14 captures no bindings
    for (const bool log : {false, true}) {
      CAPTURE(low);
      const Axis axis = Axis::of_values(low, high, ends, log);
      CHECK(axis.ticks().size() >= 2);
      CHECK(axis.ticks().size() <= 12);
      for (const double v : {std::max(low, -1e300), std::min(high, 1e300)}) {
        CHECK(axis.at(v) >= -1e-6);
        CHECK(axis.at(v) <= 100 + 1e-6);
      }
    }
  }
}

TEST_CASE("report: an axis of epochs has whole numbers, the first among them") {
  using report::Axis;
  CHECK(ticks(Axis::of_epochs(1, 5, {0, 100})) == "1 2 3 4 5");
  CHECK(ticks(Axis::of_epochs(1, 40, {0, 100})) == "1 10 20 30 40");
  CHECK(ticks(Axis::of_epochs(1, 1000, {0, 100})) == "1 200 400 600 800 1000");
  CHECK(ticks(Axis::of_epochs(9, 12, {0, 100})) == "9 10 11 12");
  const auto one = Axis::of_epochs(3, 3, {0, 100});
  CHECK(ticks(one) == "3");
  CHECK(one.at(3) == 50);
}

report::Chart chart_of(std::vector<double> training, std::vector<double> validation) {
  report::Chart chart{"loss", {}, {{"loss", false, training}}, {}, 0, false};
  for (std::size_t i = 0; i < training.size(); ++i) {
    chart.epochs.push_back(static_cast<std::int64_t>(i) + 1);
  }
  if (!validation.empty()) chart.lines.push_back({"val_loss", true, validation});
  return chart;
}

TEST_CASE("report: a chart has its curves, its best epoch, and the values under the pointer") {
  auto chart = chart_of({3, 2, 1, 0.5}, {3.5, 2.5, 2, 2.25});
  chart.best = 3;
  chart.resumed_after = 2;
  const auto svg = report::draw(chart);
  CHECK(wrong_tags(svg) == "");
  CHECK(count_of(svg, "<polyline") == 2);
  CHECK(has(svg, "best: 3"));
  CHECK(has(svg, "resumed"));
  CHECK(has(svg,
            "epoch 4<tspan class=\"train\" dx=\"9\">● 0.5</tspan>"
            "<tspan class=\"valid\" dx=\"9\">● 2.25</tspan>"));
  CHECK(count_of(svg, "class=\"at\"") == 4);
  chart.best = 9;
  chart.resumed_after = 0;
  CHECK(!has(report::draw(chart), "best: "));
  CHECK(!has(report::draw(chart), "resumed"));
  chart.title = "a<b";
  chart.lines[0].name = "x&y";
  CHECK(has(report::draw(chart), "<b>a&lt;b</b>"));
  CHECK(has(report::draw(chart), "x&amp;y"));
}

TEST_CASE("report: values that are not finite are gaps; one alone is a dot") {
  const auto svg = report::draw(chart_of({3, 2, nan, 1, inf, 2, 1}, {}));
  CHECK(count_of(svg, "<polyline") == 2);
  CHECK(has(svg, "epoch 3<tspan class=\"train\" dx=\"9\">● –"));
  CHECK(!has(svg, "nan"));
  CHECK(!has(svg, "inf"));
  const auto one = report::draw(chart_of({3}, {}));
  CHECK(count_of(one, "<polyline") == 0);
  CHECK(count_of(one, "<circle") == 2);
  const auto none = report::draw(chart_of({nan, inf}, {}));
  CHECK(has(none, "nothing was counted"));
  CHECK(wrong_tags(none) == "");
}

TEST_CASE("report: a long curve is thinned, and keeps its peaks") {
  std::vector<double> values(100000, 1.0);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] += 0.1 * std::sin(double(i));
  values[54321] = 9;
  auto chart = chart_of(values, {});
  chart.best = 54322;
  const auto svg = report::draw(chart);
  CHECK(svg.size() < 80000);
  const auto axis = report::Axis::of_values(0.9, 9, {216, 34}, false);
  CHECK(has(svg, fmt::format(",{:.1f} ", axis.at(9))));
  CHECK(has(svg, "epoch 54322<tspan"));
}

TEST_CASE("report: lengths and padding of the data") {
  DataDescription data;
  data.sequences = 1200;
  data.steps = 9000;
  data.shortest = 1;
  data.longest = 20;
  data.mean = 7.5;
  data.median = 7;
  data.histogram = {{1, 10, 900}, {11, 20, 300}};
  data.batches = 38;
  data.positions = 18000;
  data.valid = 9000;
  const auto box = report::data_box("Training", data);
  CHECK(wrong_tags(box) == "");
  CHECK(has(box, "1,200 sequences of 9,000 steps; length 1 to 20, median 7, mean 7.5."));
  CHECK(has(box, "lengths 11 to 20: 300 sequences"));
  CHECK(has(box, "the 38 batches of an epoch would have 18,000 positions, 50.0 % of them padding"));
  CHECK(has(report::data_box("Training", {}), "There are no sequences."));
  data = {};
  data.sequences = 1;
  data.steps = data.shortest = data.longest = 3;
  data.mean = data.median = 3;
  data.histogram = {{3, 3, 1}};
  CHECK(has(report::data_box("Training", data), "1 sequence of 3 steps"));
  CHECK(has(report::data_box("Training", data), "length 3: 1 sequences"));
  CHECK(!has(report::data_box("Training", data), "Padded"));
}

}  // namespace
}  // namespace maskgrad::tests::test_report_parts
