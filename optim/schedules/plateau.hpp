#pragma once

#include <maskgrad/optim/schedules/schedule.hpp>

namespace maskgrad {

struct PlateauOptions {
  std::string monitor = "val_loss";
  double factor = 0.1;
  std::int64_t patience = 10;  ///< epochs that it waits for something better
  Better mode = Better::automatic;
  double min_delta = 1e-4;
  std::int64_t cooldown = 0;  ///< epochs after a reduction in which none are counted
  double min_factor = 0;      ///< of the rate; not reduced below it

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("monitor", o.monitor);
    f("factor", o.factor);
    f("patience", o.patience);
    f("mode", o.mode);
    f("min_delta", o.min_delta);
    f("cooldown", o.cooldown);
    f("min_factor", o.min_factor);
  }
};

/// The rate times `factor` whenever a watched value was not better for `patience` epochs. A value
/// that is NaN or infinite is never better.
/// Throws:   OptionError unless factor is in (0, 1), and for numbers below 0; at the end of an
///           epoch that has no such value.
/// Source:   Keras 3, ReduceLROnPlateau.
/// Example:  mg::Schedule schedule = mg::Plateau{{.monitor = "loss", .patience = 3}};
class Plateau final : public detail::ScheduleOf<Plateau, PlateauOptions> {
 public:
  static constexpr std::string_view name = "Plateau";
  explicit Plateau(PlateauOptions options = {});
  double factor(const SchedulePosition&) const override { return factor_; }
  void end_epoch(const Logs& logs) override;
  std::string_view monitor() const override { return options_.monitor; }
  std::vector<double> state() const override;
  void set_state(const std::vector<double>& state) override;

 private:
  detail::MonitoredValue watch_;
  double factor_ = 1;
  std::int64_t waited_ = 0, cooling_ = 0;
};

}  // namespace maskgrad
