#pragma once

#include <maskgrad/optim/schedules/schedule.hpp>

namespace maskgrad {

struct DecayOptions {
  double every = 0;   ///< how long until the rate is multiplied by `factor`; required
  double factor = 0;  ///< required
  ScheduleUnit unit = ScheduleUnit::epoch;

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("every"), o.every);
    f(extend::required("factor"), o.factor);
    f("unit", o.unit);
  }
};

/// The rate times `factor` after each `every`, in stairs: factor^floor(t / every).
/// Throws:   OptionError unless every and factor are above 0.
/// Source:   PyTorch, StepLR.
/// Example:  mg::Schedule schedule = mg::StepDecay{{.every = 10, .factor = 0.5}};
class StepDecay final : public detail::ScheduleOf<StepDecay, DecayOptions> {
 public:
  static constexpr std::string_view name = "StepDecay";
  explicit StepDecay(DecayOptions options);
  double factor(const SchedulePosition& at) const override;
};

/// The same without stairs: factor^(t / every).
/// Source:   Keras 3, ExponentialDecay.
/// Example:  mg::Schedule schedule = mg::ExponentialDecay{
///               {.every = 1000, .factor = 0.9, .unit = mg::ScheduleUnit::step}};
class ExponentialDecay final : public detail::ScheduleOf<ExponentialDecay, DecayOptions> {
 public:
  static constexpr std::string_view name = "ExponentialDecay";
  explicit ExponentialDecay(DecayOptions options);
  double factor(const SchedulePosition& at) const override;
};

struct CosineDecayOptions {
  double over = 0;   ///< how long it takes; required
  double alpha = 0;  ///< the share of the rate that is left at the end, and after it
  ScheduleUnit unit = ScheduleUnit::epoch;

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("over"), o.over);
    f("alpha", o.alpha);
    f("unit", o.unit);
  }
};

/// Half a wave down: alpha + (1 - alpha) (1 + cos(pi t / over)) / 2.
/// Throws:   OptionError unless over is above 0 and alpha in [0, 1).
/// Source:   Loshchilov and Hutter 2017, SGDR; Keras 3, CosineDecay.
/// Example:  mg::Schedule schedule = mg::CosineDecay{{.over = 30, .alpha = 0.1}};
///           schedule.factor({.epoch = 15});  // 0.55
class CosineDecay final : public detail::ScheduleOf<CosineDecay, CosineDecayOptions> {
 public:
  static constexpr std::string_view name = "CosineDecay";
  explicit CosineDecay(CosineDecayOptions options);
  double factor(const SchedulePosition& at) const override;
};

struct OneCycleOptions {
  double over = 0;                ///< how long the whole takes; required
  double peak_at = 0.3;           ///< the share of it that goes up
  double div_factor = 25;         ///< begins at the rate / div_factor
  double final_div_factor = 1e4;  ///< ends at the beginning / final_div_factor
  ScheduleUnit unit = ScheduleUnit::epoch;

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("over"), o.over);
    f("peak_at", o.peak_at);
    f("div_factor", o.div_factor);
    f("final_div_factor", o.final_div_factor);
    f("unit", o.unit);
  }
};

/// Half a wave up to the rate, then half a wave down to almost nothing.
/// Throws:   OptionError unless over is above 0, peak_at in (0, 1), and the factors 1 or more.
/// Source:   Smith and Topin 2018, Super-convergence; PyTorch, OneCycleLR.
/// Example:  mg::Schedule schedule = mg::OneCycle{{.over = 30, .peak_at = 0.2}};
class OneCycle final : public detail::ScheduleOf<OneCycle, OneCycleOptions> {
 public:
  static constexpr std::string_view name = "OneCycle";
  explicit OneCycle(OneCycleOptions options);
  double factor(const SchedulePosition& at) const override;
};

struct WarmUpOptions {
  double over = 0;  ///< how long it takes; required
  double from = 0;  ///< the share of the rate that it begins with
  ScheduleUnit unit = ScheduleUnit::epoch;
  Schedule then = {};  ///< the whole is multiplied by it; it counts from the beginning too

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("over"), o.over);
    f("from", o.from);
    f("unit", o.unit);
    f("then", o.then);
  }
};

/// A line up from `from` to 1, then 1; times another schedule where there is one.
/// Throws:   OptionError unless over is above 0 and from in [0, 1).
/// Source:   Goyal et al. 2017, Accurate, large minibatch SGD.
/// Example:  mg::WarmUp rule{{.over = 2, .then = mg::CosineDecay{{.over = 30}}}};
class WarmUp final : public detail::ScheduleOf<WarmUp, WarmUpOptions> {
 public:
  static constexpr std::string_view name = "WarmUp";
  explicit WarmUp(WarmUpOptions options);
  double factor(const SchedulePosition& at) const override;
  void end_epoch(const Logs& logs) override { options_.then.end_epoch(logs); }
  std::string_view monitor() const override;
  std::vector<double> state() const override;
  void set_state(const std::vector<double>& state) override;
};

}  // namespace maskgrad
