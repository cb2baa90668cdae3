#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad {

/// What an epoch came to, by name and in order: loss, the metrics, val_loss, learning_rate, ...
class Logs {
 public:
  /// Puts a value at the end, or in the place of the one that has the name.
  void set(std::string_view name, double value);
  std::optional<double> find(std::string_view name) const;
  /// OptionError, with the nearest, where there is none of the name.
  double at(std::string_view where, std::string_view name) const;
  const std::vector<std::pair<std::string, double>>& values() const { return values_; }

  bool operator==(const Logs&) const = default;

 private:
  std::vector<std::pair<std::string, double>> values_;
};

/// Which way a watched value gets better; `automatic`: an accuracy, precision, recall, F1, AUC or
/// R2 score higher, all else lower.
enum class Better { automatic, lower, higher };
std::string_view name(Better better);
namespace extend {
void read_option(OptionReader& reader, OptionName name, Better& value);
void write_option(OptionWriter& writer, OptionName name, const Better& value);
}  // namespace extend

namespace detail {

bool is_higher_better(std::string_view monitor, Better better = Better::automatic);

/// The best value so far of what is watched.
class MonitoredValue {
 public:
  /// `min_delta`: by how much a value must be better. OptionError below 0.
  MonitoredValue(std::string_view where, std::string monitor, Better better, double min_delta);

  /// Takes the epoch's value; whether it is the best so far. One that is NaN or infinite never is.
  /// OptionError, with the nearest, where the logs do not have it.
  bool better(const Logs& logs);
  const std::string& monitor() const { return monitor_; }
  /// None before the first that is finite.
  std::optional<double> best() const { return best_; }
  void set_best(std::optional<double> best);

 private:
  std::string where_, monitor_;
  bool higher_;
  double min_delta_;
  std::optional<double> best_;
};

}  // namespace detail
}  // namespace maskgrad
