#include <maskgrad/optim/schedules/decays.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <maskgrad/optim/optimizer.hpp>

namespace maskgrad {
namespace {

/// From `a` to `b` along half a wave, `share` of the way; at the ends they themselves.
double wave(double a, double b, double share) {
  if (share <= 0) return a;
  if (share >= 1) return b;
  const double angle = std::numbers::pi / 2 * share;
  const double of_a = std::cos(angle), of_b = std::sin(angle);
  return a * (of_a * of_a) + b * (of_b * of_b);
}

/// How often `every` has passed: 3 times at 0.3 for 0.1, which are no such numbers in binary.
double times_passed(double time, double every) {
  constexpr double rounding = 1e-12;
  const double times = time / every, whole = std::round(times);
  return std::abs(times - whole) <= rounding * whole ? whole : std::floor(times);
}

}  // namespace

StepDecay::StepDecay(DecayOptions options) : ScheduleOf(options) {
  check::above_0(name, "every", options.every);
  check::above_0(name, "factor", options.factor);
}
double StepDecay::factor(const SchedulePosition& at) const {
  return std::pow(options_.factor, times_passed(time(at), options_.every));
}

ExponentialDecay::ExponentialDecay(DecayOptions options) : ScheduleOf(options) {
  check::above_0(name, "every", options.every);
  check::above_0(name, "factor", options.factor);
}
double ExponentialDecay::factor(const SchedulePosition& at) const {
  return std::pow(options_.factor, time(at) / options_.every);
}

CosineDecay::CosineDecay(CosineDecayOptions options) : ScheduleOf(options) {
  check::above_0(name, "over", options.over);
  check::option(name, "alpha", options.alpha, 0, 1);
}
double CosineDecay::factor(const SchedulePosition& at) const {
  return wave(1, options_.alpha, time(at) / options_.over);
}

OneCycle::OneCycle(OneCycleOptions options) : ScheduleOf(options) {
  check::above_0(name, "over", options.over);
  check::above_0(name, "peak_at", options.peak_at, 1);
  check::option(name, "div_factor", options.div_factor, 1, INFINITY);
  check::option(name, "final_div_factor", options.final_div_factor, 1, INFINITY);
}
double OneCycle::factor(const SchedulePosition& at) const {
  const double first = 1 / options_.div_factor, last = first / options_.final_div_factor;
  const double share = time(at) / options_.over, peak = options_.peak_at;
  return share < peak ? wave(first, 1, share / peak) : wave(1, last, (share - peak) / (1 - peak));
}

WarmUp::WarmUp(WarmUpOptions options) : ScheduleOf(std::move(options)) {
  check::above_0(name, "over", options_.over);
  check::option(name, "from", options_.from, 0, 1);
}
double WarmUp::factor(const SchedulePosition& at) const {
  const double share = std::min(time(at) / options_.over, 1.0);
  return std::lerp(options_.from, 1.0, share) * options_.then.factor(at);
}
std::string_view WarmUp::monitor() const {
  return options_.then ? options_.then.rule()->monitor() : std::string_view();
}
std::vector<double> WarmUp::state() const {
  return options_.then ? options_.then.rule()->state() : std::vector<double>();
}
void WarmUp::set_state(const std::vector<double>& state) {
  if (options_.then) return options_.then.rule()->set_state(state);
  ScheduleRule::set_state(state);
}

}  // namespace maskgrad
