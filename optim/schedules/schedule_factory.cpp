#include <maskgrad/core/named_table.hpp>
#include <maskgrad/layers/layer/description.hpp>
#include <maskgrad/layers/layer/option_choice.hpp>
#include <maskgrad/optim/schedules/decays.hpp>
#include <maskgrad/optim/schedules/plateau.hpp>

namespace maskgrad {
namespace {

template <class R>
Schedule make(extend::OptionReader& reader) {
  return R(extend::read_options<typename R::Options>(reader));
}

struct Row {
  std::string_view name;
  Schedule (*make)(extend::OptionReader&);
};

constexpr std::array table = {
    Row{CosineDecay::name, make<CosineDecay>}, Row{ExponentialDecay::name, make<ExponentialDecay>},
    Row{OneCycle::name, make<OneCycle>},       Row{Plateau::name, make<Plateau>},
    Row{StepDecay::name, make<StepDecay>},     Row{WarmUp::name, make<WarmUp>},
};

constexpr auto names = names_of(table);

constexpr std::array units = {ScheduleUnit::epoch, ScheduleUnit::step};

}  // namespace

std::string_view name(ScheduleUnit unit) {
  return unit == ScheduleUnit::step ? "step" : "epoch";
}
void extend::read_option(OptionReader& reader, OptionName option, ScheduleUnit& value) {
  detail::read_choice(reader, option, value, units);
}
void extend::write_option(OptionWriter& writer, OptionName option, const ScheduleUnit& value) {
  writer(option, std::string(name(value)));
}

void ScheduleRule::set_state(const std::vector<double>& state) {
  if (state.empty()) return;
  fail<OptionError>(kind(), "a state of {} numbers; expected none: it remembers nothing",
                    state.size());
}

std::span<const std::string_view> schedule_names() {
  return names;
}

Schedule make_schedule(std::string_view name, std::string_view options) {
  extend::OptionReader reader(name, options);
  return find_named("make_schedule", "schedule", table, name).make(reader);
}

std::string describe(const Schedule& schedule) {
  if (!schedule) return "null";
  extend::OptionWriter writer;
  schedule.rule()->write_options(writer);
  return detail::described(schedule.rule()->kind(), writer);
}

Schedule schedule_from(std::string_view json) {
  if (json == "null") return {};
  const auto description = detail::description_from("schedule_from", json);
  return make_schedule(description.class_name, description.config.text);
}

void extend::read_option(OptionReader& reader, OptionName name, Schedule& value) {
  if (!reader.has(name)) return;
  extend::JsonText json;
  reader(name, json);
  value = schedule_from(json.text);
}
void extend::write_option(OptionWriter& writer, OptionName name, const Schedule& value) {
  writer(name, extend::JsonText{describe(value)});
}

}  // namespace maskgrad
