#pragma once

#include <concepts>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <maskgrad/optim/logs.hpp>

namespace maskgrad {

/// Where a training stands: epochs with their fraction, and steps, both from 0.
struct SchedulePosition {
  double epoch = 0;
  std::int64_t step = 0;
};

/// What a schedule's lengths are counted in.
enum class ScheduleUnit { epoch, step };
std::string_view name(ScheduleUnit unit);
namespace extend {
void read_option(OptionReader& reader, OptionName name, ScheduleUnit& value);
void write_option(OptionWriter& writer, OptionName name, const ScheduleUnit& value);
}  // namespace extend

/// A way in which the learning rate changes; one's own derives from it.
class ScheduleRule {
 public:
  virtual ~ScheduleRule() = default;
  /// What the optimizer's own learning rate is multiplied by there.
  virtual double factor(const SchedulePosition& at) const = 0;
  /// The end of an epoch, for rules that watch what it came to.
  virtual void end_epoch(const Logs&) {}
  /// The name of the value that it watches; empty where it watches none.
  virtual std::string_view monitor() const { return {}; }
  /// What it remembers, for checkpoints.
  virtual std::vector<double> state() const { return {}; }
  /// OptionError for what it cannot have remembered.
  virtual void set_state(const std::vector<double>& state);
  virtual std::string_view kind() const = 0;
  virtual void write_options(extend::OptionWriter& writer) const = 0;
  virtual std::unique_ptr<ScheduleRule> copy() const = 0;
};

/// A schedule as a value; none leaves the learning rate as it is.
/// Example:  mg::CosineDecay decay{{.over = 30}};
///           mg::Schedule schedule = mg::WarmUp{{.over = 2, .then = decay}};
///           adam.set_learning_rate(1e-3 * schedule.factor({.epoch = 1.5, .step = 150}));
class Schedule {
 public:
  Schedule() = default;
  template <std::derived_from<ScheduleRule> R>
  Schedule(R rule) : rule_(std::make_unique<R>(std::move(rule))) {}
  explicit Schedule(std::unique_ptr<ScheduleRule> rule) : rule_(std::move(rule)) {}
  Schedule(const Schedule& other) : rule_(other.rule_ ? other.rule_->copy() : nullptr) {}
  Schedule(Schedule&&) = default;
  Schedule& operator=(Schedule other) {
    rule_ = std::move(other.rule_);
    return *this;
  }

  explicit operator bool() const { return rule_ != nullptr; }
  double factor(const SchedulePosition& at) const { return rule_ ? rule_->factor(at) : 1; }
  void end_epoch(const Logs& logs) {
    if (rule_) rule_->end_epoch(logs);
  }
  ScheduleRule* rule() const { return rule_.get(); }

 private:
  std::unique_ptr<ScheduleRule> rule_;
};
namespace extend {
void read_option(OptionReader& reader, OptionName name, Schedule& value);
void write_option(OptionWriter& writer, OptionName name, const Schedule& value);
}  // namespace extend

namespace detail {

/// What the library's own rules have in common.
template <class Self, class OptionsOf>
class ScheduleOf : public ScheduleRule {
 public:
  using Options = OptionsOf;
  std::string_view kind() const final { return Self::name; }
  void write_options(extend::OptionWriter& writer) const final {
    Options::each_option(options_, writer);
  }
  std::unique_ptr<ScheduleRule> copy() const final {
    return std::make_unique<Self>(static_cast<const Self&>(*this));
  }
  const Options& options() const { return options_; }

 protected:
  explicit ScheduleOf(Options options) : options_(std::move(options)) {}
  /// The time that has passed, in the rule's unit.
  double time(const SchedulePosition& at) const {
    return options_.unit == ScheduleUnit::step ? static_cast<double>(at.step) : at.epoch;
  }
  Options options_;
};

}  // namespace detail

/// A schedule from its name and a JSON object of its options.
/// Throws:   OptionError, with the nearest, for an unknown name or option; as the rule.
/// Example:  mg::make_schedule("CosineDecay", R"({"over": 30})")
Schedule make_schedule(std::string_view name, std::string_view options = "{}");
/// The names of all.
std::span<const std::string_view> schedule_names();
/// A schedule as JSON, {"class_name": ..., "config": {...}}; `null` where there is none.
std::string describe(const Schedule& schedule);
/// The schedule that `describe` described. Throws: as make_schedule.
/// Example:  mg::schedule_from(mg::describe(mg::Schedule(mg::CosineDecay{{.over = 30}})));
Schedule schedule_from(std::string_view json);

}  // namespace maskgrad
