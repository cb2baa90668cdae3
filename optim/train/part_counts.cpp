#include <maskgrad/optim/train/part_counts.hpp>

namespace maskgrad::detail {

std::vector<double> measure_part(const Batch& part, const Tensors& outputs, const Loss& loss,
                                 std::vector<TrainingMetric>& metrics) {
  std::vector<double> all{static_cast<double>(loss.fallen_away()),
                          static_cast<double>(loss.skipped())};
  const auto add = [&all](const std::vector<double>& more) {
    all.push_back(static_cast<double>(more.size()));
    all.insert(all.end(), more.begin(), more.end());
  };
  add(LossTotal::measure(loss));
  for (auto& metric : metrics) add(metric.measure(part, outputs));
  return all;
}

PartCounts merge_part(const std::vector<double>& numbers, LossTotal& loss,
                      std::vector<TrainingMetric>& metrics) {
  auto at = numbers.begin() + 2;
  const auto next = [&at] {
    const auto begin = at + 1;
    at = begin + static_cast<std::ptrdiff_t>(*at);
    return std::vector<double>(begin, at);
  };
  loss.add(next());
  for (auto& metric : metrics) metric.merge(next());
  return {static_cast<std::int64_t>(numbers[0]), static_cast<std::int64_t>(numbers[1])};
}

}  // namespace maskgrad::detail
