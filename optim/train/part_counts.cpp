#include <maskgrad/optim/train/part_counts.hpp>

#include <algorithm>
#include <numeric>

#include <maskgrad/optim/distributed/shards.hpp>
#include <maskgrad/optim/train/steps.hpp>

namespace maskgrad::detail {
namespace {

RowCount rows_of_lengths(const std::vector<std::int64_t>& lengths) {
  if (lengths.empty()) return {};
  const auto valid = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  const auto longest = *std::max_element(lengths.begin(), lengths.end());
  return {valid, std::ssize(lengths) * longest - valid};
}

}  // namespace

RowCount count_rows(const Batch& batch) {
  if (batch.share) return rows_of_lengths(batch.share->lengths);
  if (batch.inputs.empty()) return {};
  const Tensor& x = batch.inputs[0];
  const bool ids = !is_real(x.dtype());
  const int axes = x.has_mask() ? x.mask().rank() : x.rank() > (ids ? 1 : 2) ? 2 : 1;
  const auto all = x.shape().count(0, std::min(axes, x.rank()));
  const auto valid = x.has_mask() ? x.mask().valid() : all;
  return {valid, all - valid};
}

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
