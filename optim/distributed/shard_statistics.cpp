#include <maskgrad/optim/distributed/shard_statistics.hpp>

#include <algorithm>
#include <cstring>

#include <maskgrad/autograd/distinct.hpp>

namespace maskgrad::detail {
namespace {
constexpr std::string_view in_shard_statistics = "ShardedStep";
}

double Numbers::next() {
  double value = 0;
  if (at_end()) fail<GradError>(in_shard_statistics, "a rank sent less than it said it would");
  std::memcpy(&value, text_.data(), sizeof value);
  text_.remove_prefix(sizeof value);
  return value;
}

ShardStatistics::ShardStatistics(const std::vector<Parameter>& parameters)
    : parameters_(distinct(parameters)) {}

void ShardStatistics::write(const BatchStatistics& part, std::vector<double>& numbers) const {
  numbers.push_back(static_cast<double>(part.measured.size()));
  for (const auto& m : part.measured) {
    numbers.insert(numbers.end(), {place_of(m.moving_mean), place_of(m.moving_variance), m.momentum,
                                   m.count, static_cast<double>(m.mean.size())});
    numbers.insert(numbers.end(), m.mean.begin(), m.mean.end());
    numbers.insert(numbers.end(), m.variance.begin(), m.variance.end());
  }
}

void ShardStatistics::read(Numbers& all) {
  const auto calls = all.next_size();
  calls_.resize(std::max(calls_.size(), calls));
  for (std::size_t i = 0; i < calls; ++i) {
    auto& m = calls_[i].emplace_back();
    m.moving_mean = parameters_.at(all.next_size());
    m.moving_variance = parameters_.at(all.next_size());
    m.momentum = all.next();
    m.count = all.next();
    const auto features = all.next_size();
    for (auto* values : {&m.mean, &m.variance}) {
      values->resize(features);
      for (double& each : *values) each = all.next();
    }
  }
}

void ShardStatistics::move() {
  for (const auto& parts : calls_) move_statistics(parts);
  calls_.clear();
}

double ShardStatistics::place_of(const Parameter& p) const {
  const auto same = [&p](const Parameter& other) { return other.same(p); };
  const auto at = std::find_if(parameters_.begin(), parameters_.end(), same);
  if (at != parameters_.end()) return static_cast<double>(at - parameters_.begin());
  fail<GradError>(in_shard_statistics,
                  "'{}' is not among its parameters, and all ranks are to move it alike; give it "
                  "all of the model's parameters()",
                  p.name());
}

}  // namespace maskgrad::detail
