#include <maskgrad/optim/schedules/plateau.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <maskgrad/optim/optimizer.hpp>

namespace maskgrad {

Plateau::Plateau(PlateauOptions options)
    : ScheduleOf(std::move(options)),
      watch_(name, options_.monitor, options_.mode, options_.min_delta) {
  check::above_0(name, "factor", options_.factor, 1);
  check::option(name, "patience", static_cast<double>(options_.patience), 0, INFINITY);
  check::option(name, "cooldown", static_cast<double>(options_.cooldown), 0, INFINITY);
  check::option(name, "min_factor", options_.min_factor, 0, 1);
}

void Plateau::end_epoch(const Logs& logs) {
  if (cooling_ > 0) --cooling_;
  if (watch_.better(logs) || cooling_ > 0) {
    waited_ = 0;
  } else if (++waited_ >= options_.patience) {
    factor_ = std::max(factor_ * options_.factor, std::min(factor_, options_.min_factor));
    cooling_ = options_.cooldown;
    waited_ = 0;
  }
}

std::vector<double> Plateau::state() const {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  return {watch_.best().value_or(none), factor_, static_cast<double>(waited_),
          static_cast<double>(cooling_)};
}

void Plateau::set_state(const std::vector<double>& state) {
  if (state.size() != 4) {
    fail<OptionError>(name, "a state of {} numbers; expected the 4 that state() gave",
                      state.size());
  }
  const auto is_count = [](double x) { return x >= 0 && x < 1e15 && x == std::floor(x); };
  if (!(state[1] >= 0 && state[1] <= 1) || !is_count(state[2]) || !is_count(state[3])) {
    fail<OptionError>(
        name,
        "a state of factor {}, {} epochs waited and {} of cooldown; expected a factor "
        "in [0, 1] and whole numbers of 0 or more",
        state[1], state[2], state[3]);
  }
  watch_.set_best(std::isnan(state[0]) ? std::nullopt : std::optional(state[0]));
  factor_ = state[1];
  waited_ = static_cast<std::int64_t>(state[2]);
  cooling_ = static_cast<std::int64_t>(state[3]);
}

}  // namespace maskgrad
