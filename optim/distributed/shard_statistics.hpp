#pragma once

#include <string_view>
#include <vector>

#include <maskgrad/layers/normalization/batch_statistics.hpp>

namespace maskgrad::detail {

/// Numbers of a message, one after the other.
class Numbers {
 public:
  explicit Numbers(std::string_view text) : text_(text) {}
  bool at_end() const { return text_.size() < sizeof(double); }
  /// GradError behind the last one.
  double next();
  std::size_t next_size() { return static_cast<std::size_t>(next()); }

 private:
  std::string_view text_;
};

/// Statistics of each shard's batch: of all shards together they move the moving ones, once.
class ShardStatistics {
 public:
  explicit ShardStatistics(const std::vector<Parameter>& parameters);

  /// What a part has measured, call by call.
  void write(const BatchStatistics& part, std::vector<double>& numbers) const;
  void read(Numbers& all);
  void move();

 private:
  double place_of(const Parameter& p) const;

  std::vector<Parameter> parameters_;
  std::vector<std::vector<BatchStatistics::Measured>> calls_;  ///< of each call, its parts
};

}  // namespace maskgrad::detail
