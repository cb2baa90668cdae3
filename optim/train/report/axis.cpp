#include <maskgrad/optim/train/report/axis.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <maskgrad/optim/train/report/html.hpp>

namespace maskgrad::report {
namespace {

/// 1, 2 or 5 times a power of ten, `least` or more.
double round_step(double least) {
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1, 2, 5}) {
    if (factor * power >= least * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

/// As many digits behind the point as the step has.
std::string tick_text(double value, double step) {
  if (step < 1e-4 || std::abs(value) >= 1e4) return brief(value);
  const auto digits = static_cast<int>(std::max(0.0, -std::floor(std::log10(step) + 1e-9)));
  return fmt::format("{:.{}f}", std::abs(value) < step / 2 ? 0 : value, digits);
}

}  // namespace

Axis Axis::of_values(double low, double high, Ends ends, bool may_be_log) {
  // So that differences are finite, and steps no subnormal numbers.
  static constexpr double most = 1e300, least = 1e-300;
  const auto usual = [](double v) { return std::abs(v) < least ? 0 : std::clamp(v, -most, most); };
  Axis axis;
  axis.low_ = usual(low);
  axis.high_ = usual(high);
  axis.ends_ = ends;
  axis.log_ = may_be_log && axis.low_ > 0 && axis.high_ / axis.low_ >= 50;
  axis.log_ ? axis.logarithmic() : axis.linear();
  return axis;
}

void Axis::linear() {
  const double size = std::max(std::abs(low_), std::abs(high_));
  if (high_ - low_ <= 1e-9 * size || size == 0) {
    const double margin = size == 0 ? 1 : size / 10;
    low_ -= margin;
    high_ += margin;
  }
  const double step = round_step((high_ - low_) / 5);
  const double first = std::floor(low_ / step + 1e-6), last = std::ceil(high_ / step - 1e-6);
  low_ = first * step;
  high_ = last * step;
  for (double k = first; k <= last; ++k) ticks_.push_back({k * step, tick_text(k * step, step)});
}

void Axis::logarithmic() {
  const double decades = std::log10(high_ / low_);
  std::vector<double> marks;
  const auto every = static_cast<int>(std::ceil(decades / 6));
  const auto first = static_cast<int>(std::floor(std::log10(low_)));
  for (int power = first; power <= static_cast<int>(std::ceil(std::log10(high_))); ++power) {
    for (const double factor : {1, 2, 5}) {
      if (factor > 1 && decades > 2.5) break;
      if (factor > 1 || (power - first) % every == 0) marks.push_back(factor * std::pow(10, power));
    }
  }
  // From the last mark below the values to the first one above them.
  const double low = low_, high = high_;
  for (const double mark : marks) {
    if (mark <= low * (1 + 1e-9)) low_ = mark;
  }
  for (auto mark = marks.rbegin(); mark != marks.rend(); ++mark) {
    if (*mark >= high * (1 - 1e-9)) high_ = *mark;
  }
  for (const double mark : marks) {
    if (mark >= low_ && mark <= high_) ticks_.push_back({mark, brief(mark)});
  }
}

Axis Axis::of_epochs(std::int64_t first, std::int64_t last, Ends ends) {
  Axis axis;
  axis.low_ = static_cast<double>(first);
  axis.high_ = static_cast<double>(last);
  axis.ends_ = ends;
  if (first == last) {
    axis.low_ -= 1;
    axis.high_ += 1;
  }
  const auto step =
      static_cast<std::int64_t>(std::max(1.0, round_step(static_cast<double>(last - first) / 7)));
  for (auto epoch = (first + step - 1) / step * step; epoch <= last; epoch += step) {
    axis.ticks_.push_back({static_cast<double>(epoch), std::to_string(epoch)});
  }
  const bool room = axis.ticks_.empty() || 2 * (axis.ticks_[0].value - axis.low_) > double(step);
  if (room && first != last) {
    axis.ticks_.insert(axis.ticks_.begin(), {axis.low_, std::to_string(first)});
  }
  return axis;
}

double Axis::at(double value) const {
  const double share =
      log_ ? std::log(value / low_) / std::log(high_ / low_) : (value - low_) / (high_ - low_);
  return ends_.from + (ends_.to - ends_.from) * share;
}

}  // namespace maskgrad::report
